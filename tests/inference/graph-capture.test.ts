/** Whether a recording of the GPU's commands is used, on sessions that are made up. */
import { describe, expect, test } from 'bun:test';
import {
  type CaptureMode,
  tryCapture,
  worthTrying,
} from '../../src/inference/onnxruntime/graph-capture.ts';
import type { Session } from '../../src/inference/onnxruntime/session.ts';

type Runs = Pick<Session, 'run'>;
const compare = (issued: Runs, replayed: Runs, mode: CaptureMode) =>
  tryCapture(issued, replayed, { shape: [3, 2, 2] }, mode, 0);

/** A session whose rows are told by the image. */
const session = (ms: number, rowOf: (image: Float32Array, run: number) => number[]): Runs => {
  let run = 0;
  return {
    async run(inputs) {
      await Bun.sleep(ms);
      run++;
      return inputs.map((image) => Float32Array.from(rowOf(image, run)));
    },
  };
};
const head = (image: Float32Array): number[] => [...image.subarray(0, 3)];

describe('graph capture', () => {
  test('the same rows sooner, is used', async () => {
    const trial = await compare(session(12, head), session(2, head), 'auto');
    expect(trial.refused).toBeUndefined();
    expect(trial.issuedMs).toBeGreaterThanOrEqual(11);
    expect(trial.replayedMs).toBeLessThan(trial.issuedMs);
  });

  test('the same rows later, is used only when it is asked for', async () => {
    const [issued, replayed] = [session(2, head), session(12, head)];
    expect(await compare(issued, replayed, 'auto')).toMatchObject({
      refused: 'slower',
    });
    expect((await compare(issued, replayed, 'on')).refused).toBeUndefined();
  });

  test.each<[string, (image: Float32Array, run: number) => number[]]>([
    ['those of the recorded image', () => head(new Float32Array([0.5, 0.25, 0.125]))],
    ['right at first and wrong at last', (image, run) => (run < 4 ? head(image) : [0, 0, 0])],
    ['a little off', (image) => head(image.map((value) => value + 0.1))],
    ['not numbers', () => [Number.NaN, Number.NaN, Number.NaN]],
    ['fewer values', (image) => head(image).slice(0, 2)],
  ])('rows that are %s, refuse it', async (_, rowOf) => {
    const replayed = session(0, rowOf);
    for (const mode of ['auto', 'on'] as const)
      expect(await compare(session(1, head), replayed, mode)).toMatchObject({
        refused: 'different',
      });
  });

  test('a run that fails, is thrown', async () => {
    const broken = session(0, () => {
      throw new Error('validation failed');
    });
    const trial = compare(session(0, head), broken, 'auto');
    await expect(trial).rejects.toThrow('validation failed');
  });

  test('is tried where issuing counts, or when it is asked for', () => {
    expect(worthTrying('auto', 5)).toBe(true);
    expect(worthTrying('auto', 2500)).toBe(false);
    expect(worthTrying('on', 2500)).toBe(true);
    expect(worthTrying('off', 5)).toBe(false);
  });
});
