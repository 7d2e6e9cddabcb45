/** The sessions of a thread: one for batches of all sizes and, where that is faster, one that replays single images. */
import type { WarmUpTimes } from '../engine-patience.ts';
import type { OpenDevice } from '../webgpu/adapter.ts';
import { type CaptureMode, type CaptureTrial, tryCapture, worthTrying } from './graph-capture.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';
import { warmUp } from './warm-up.ts';

export interface SessionsOptions extends SessionOptions {
  /** Whether single images are replayed from a recording of the GPU's commands. @default off */
  readonly captureMode?: CaptureMode | undefined;
}

export interface Sessions extends Pick<Session, 'issue' | 'release'> {
  readonly times: WarmUpTimes;
  /** What graph capture brings; undefined when it was not tried. */
  readonly capture: CaptureTrial | undefined;
}

/** How far the opening is: what fails meanwhile is the fault of graph capture. */
export interface Progress {
  capturing: boolean;
}

/** @throws Error when the model cannot be opened, or a run fails */
export async function openSessions(
  options: SessionsOptions,
  gpu: OpenDevice | undefined,
  progress: Progress,
): Promise<Sessions> {
  const session = await soundly(gpu, () => openSession(options, gpu));
  const run: Session['run'] = (inputs) => soundly(gpu, () => session.run(inputs));
  const times = await warmUp(run, options, gpu?.info.software);
  const { captureMode = 'off', batchSizes } = options;
  if (!gpu || !worthTrying(captureMode, times.imageMs))
    return { ...session, times, capture: undefined };

  progress.capturing = true;
  const { replaying, capture } = await soundly(gpu, async () => {
    const replaying = await openSession({ ...options, batchSizes: [1], capture: true }, gpu);
    return { replaying, capture: await tryCapture(session, replaying, options, captureMode) };
  });
  progress.capturing = false;
  if (capture.refused) {
    await replaying.release();
    return { ...session, times, capture };
  }
  const batches = batchSizes?.some((size) => size > 1);
  if (!batches) await session.release();
  return {
    times,
    capture,
    issue: (inputs) => (inputs.length === 1 ? replaying : session).issue(inputs),
    async release() {
      await replaying.release();
      if (batches) await session.release();
    },
  };
}

/** What the GPU itself complained of is the better reason, and makes a result worthless. */
export async function soundly<T>(gpu: OpenDevice | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    gpu?.assertSound();
  }
}
