/** What a run on the GPU consists of: the session in this very thread, and the copies alone. */
/// <reference types="@webgpu/types" />
import { openSession, type Session } from '../../src/inference/onnxruntime/session.ts';
import { openDevice } from '../../src/inference/webgpu/adapter.ts';
import type { Model } from '../../src/model/open-model.ts';
import { type GpuPrecision, samples } from './bare.ts';
import { makingTensors, readingBack, uploading } from './copies.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './results.ts';
import { timeInTurn, timeParts, timeRuns } from './stopwatch.ts';

/** Figures of a batch, which share the time. */
const figures = 9;

/** @throws Error with a sentence: no GPU, or none with half precision */
export async function measureInside(
  model: Model,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const gpu = await openDevice({
    adapter: options.adapter,
    allowSoftware: options.allowSoftware,
    needsF16: model.precision === 'fp16',
  });
  const { graph, dimension } = model.manifest;
  const { input, output, height, width } = graph;
  const shape = [3, height, width] as const;
  const about = { slice: model.slice, input, output, shape, dimension, threads: 1 };
  const session = await openSession(about, gpu);
  const replaying = options.batches.includes(1)
    ? await openSession({ ...about, capture: true }, gpu)
    : undefined;
  // The runtime goes on compiling onnxruntime's code for a second and a half.
  const [image] = samples(model, 1);
  await timeRuns(async () => {
    await session.run([image!]);
    await replaying?.run([image!]);
  }, 2);
  const rows: Row[] = [];
  for (const batch of options.batches) {
    const sessions = batch === 1 ? [session, replaying!] : [session];
    const row = await measureBatch(model, batch, sessions, gpu.device, options.seconds);
    gpu.assertSound();
    rows.push(row);
    tell(describe(row));
  }
  await session.release();
  await replaying?.release();
  gpu.close();
  return rows;
}

/** @param sessions - one that issues its commands and, for a single image, one that replays them */
async function measureBatch(
  model: Model,
  batch: number,
  sessions: readonly Session[],
  device: GPUDevice,
  seconds: number,
): Promise<Row> {
  const images = samples(model, batch);
  const pixels = images.map(({ length }) => new Uint8Array(length));
  const share = (sessions.length * seconds) / figures;
  const [run, replayed] = await timeInTurn(
    sessions.map((each) => () => each.run(images)),
    share,
  );
  const [issued, issuedReplay] = await timeParts(
    sessions.map((each) => issuing(each, images)),
    share,
  );
  const time = async (work: () => Promise<unknown>): Promise<number> =>
    (await timeRuns(work, seconds / figures)).median;
  const upload = await time(uploading(device, images));
  const uploadOfPixels = await time(uploading(device, pixels));
  const tensors = await time(makingTensors(model, batch));
  const readBack = await time(readingBack(device, batch * model.manifest.dimension * 4));
  const roundTrip = await time(readingBack(device, 4));
  const more = {
    ...{ upload, uploadOfPixels, tensors, readBack, roundTrip, issued: issued!.median },
    ...(replayed && { replayed: replayed.median, issuedReplay: issuedReplay!.median }),
    network: run!.median - upload - readBack + roundTrip,
  };
  return { part: 'inside', variant: model.precision as GpuPrecision, batch, ms: run!, more };
}

function describe({ variant, batch, ms, more = {} }: Row): string {
  const figure = (name: string): string => (more[name] ?? Number.NaN).toFixed(2);
  const replay =
    more.replayed === undefined
      ? ''
      : `${figure('replayed')} and ${figure('issuedReplay')} replayed by graph capture, `;
  return `inside ${variant}, batch ${batch}: ${ms?.median.toFixed(2)} ms, handed over after ${figure('issued')}, ${replay}of which upload ${figure('upload')}, read back ${figure('readBack')}, an empty round trip ${figure('roundTrip')}`;
}

/** Until the commands are handed over, not until they have been carried out. */
function issuing(session: Session, images: readonly Float32Array[]): () => Promise<number> {
  return async () => {
    const begun = performance.now();
    const { rows } = await session.issue(images);
    const ms = performance.now() - begun;
    await rows;
    return ms;
  };
}
