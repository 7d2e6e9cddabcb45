/**
 * Graph capture: the GPU's commands for one image are recorded once and replayed, which spares the CPU from issuing every
 * operator of the network anew. onnxruntime-web records one shape in a session, so single images get a session of their
 * own, with weights of its own. Whether that pays is measured on the machine itself.
 */
import { sampleInput } from '../sample-input.ts';
import { imageSize } from './feed.ts';
import type { Session, SessionOptions } from './session.ts';

/** `auto` measures; `on` takes a recording that gives the same rows, however slow; `off` does not try. */
export type CaptureMode = 'auto' | 'on' | 'off';

export interface CaptureTrial {
  /** Milliseconds of one image, its commands issued anew and replayed. */
  readonly issuedMs: number;
  readonly replayedMs: number;
  /** Why the recording is not used. */
  readonly refused?: 'slower' | 'different';
}

/** A run that takes longer, in milliseconds, is kept busy by the GPU: nothing to gain. Issuing takes a few. */
const longestRunMs = 100;
/** How far replayed rows may be off, as a share of how far the rows of two images differ. Both should be the same bits. */
const tolerance = 0.01;
const leastRounds = 3;
/**
 * How long the two are compared, in milliseconds. The runtime goes on compiling onnxruntime's code for a second and a half, so
 * the rounds' ratios decide, and the figures that are told are those of the later half.
 */
const comparedMs = 500;

export const worthTrying = (mode: CaptureMode, imageMs: number): boolean =>
  mode === 'on' || (mode === 'auto' && imageMs < longestRunMs);

type Runs = Pick<Session, 'run'>;

/**
 * Runs two images in turn through both sessions.
 * @param issued - a session that is warm
 * @param replayed - one that captures, not run yet
 * @throws Error when a run fails
 */
export async function tryCapture(
  issued: Runs,
  replayed: Runs,
  { shape }: Pick<SessionOptions, 'shape'>,
  mode: CaptureMode,
  forMs = comparedMs,
): Promise<CaptureTrial> {
  const images = [1, 2].map((seed) => sampleInput(imageSize(shape), seed, 1));
  const expected: Float32Array[] = [];
  for (const image of images) expected.push((await timed(issued, image)).row);
  const allowed = tolerance * distance(expected[0]!, expected[1]!);
  await timed(replayed, images[1]!);

  const times = { issued: [] as number[], replayed: [] as number[] };
  let same = true;
  const begun = performance.now();
  for (let round = 0; round < leastRounds || performance.now() - begun < forMs; round++) {
    const image = images[round % 2]!;
    times.issued.push((await timed(issued, image)).ms);
    const { row, ms } = await timed(replayed, image);
    times.replayed.push(ms);
    // A row that is not a number is not the same either.
    same &&= distance(row, expected[round % 2]!) <= allowed;
  }
  const later = (values: readonly number[]): number => median(values.slice(values.length >> 1));
  const figures = { issuedMs: later(times.issued), replayedMs: later(times.replayed) };
  if (!same) return { ...figures, refused: 'different' };
  const ratio = median(times.replayed.map((ms, round) => ms / times.issued[round]!));
  return mode === 'auto' && ratio >= 1 ? { ...figures, refused: 'slower' } : figures;
}

async function timed(session: Runs, image: Float32Array) {
  const start = performance.now();
  const [row] = await session.run([image]);
  if (!row) throw new Error('the session gave no row');
  return { row, ms: performance.now() - start };
}

/** Between the two values that are furthest apart; NaN for rows that cannot be compared. */
function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
