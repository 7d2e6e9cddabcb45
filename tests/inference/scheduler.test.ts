import { expect, test } from 'bun:test';
import type { Engine } from '../../src/inference/engine.ts';
import { createScheduler } from '../../src/inference/scheduler.ts';

/** An engine whose runs end when the test says so; it gives back each input's first value. */
function manualEngine(over: Partial<Engine> = {}) {
  const runs: { inputs: readonly Float32Array[]; end(): void; fail(error: Error): void }[] = [];
  const engine: Engine = {
    name: 'onnxruntime',
    device: 'wasm',
    threads: 1,
    concurrency: 1,
    maxBatch: 1,
    lost: new Promise(() => {}),
    run: (inputs) =>
      new Promise((resolve, reject) => {
        runs.push({ inputs, end: () => resolve(inputs.map((x) => x.slice(0, 1))), fail: reject });
      }),
    close: async () => {},
    ...over,
  };
  return { engine, runs };
}

const tensor = (value: number): Float32Array => Float32Array.of(value, 0);
const never = new AbortController().signal;
const settled = (): Promise<void> => Bun.sleep(1);

test('scheduler, answers each entry with its own row in the order of arrival', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const answers = [1, 2, 3].map((n) => scheduler.infer(tensor(n), never));
  expect(runs.map((run) => run.inputs.length)).toEqual([1]);
  runs[0]?.end();
  await settled();
  expect(runs.map((run) => run.inputs.map((x) => x[0]))).toEqual([[1], [2, 3]]);
  runs[1]?.end();
  expect((await Promise.all(answers)).map((a) => a.features[0])).toEqual([1, 2, 3]);
});

test('scheduler, never has more runs in flight than the engine wants', async () => {
  const { engine, runs } = manualEngine({ concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const answers = [1, 2, 3].map((n) => scheduler.infer(tensor(n), never));
  expect(runs.length).toBe(2);
  expect(scheduler.queued).toBe(1);
  for (const run of runs) run.end();
  await settled();
  expect(runs.length).toBe(3);
  runs[2]?.end();
  await Promise.all(answers);
});

test('scheduler, a failing run fails its own entries only', async () => {
  const { engine, runs } = manualEngine();
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const first = scheduler.infer(tensor(1), never);
  const second = scheduler.infer(tensor(2), never);
  runs[0]?.fail(new Error('boom'));
  await expect(first).rejects.toMatchObject({ code: 'INFERENCE_FAILED' });
  await settled();
  runs[1]?.end();
  expect((await second).features[0]).toBe(2);
});

test('scheduler, an engine that gives too few rows fails the entry without one', async () => {
  const { engine } = manualEngine({ run: async () => [] });
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  await expect(scheduler.infer(tensor(1), never)).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
  });
});

test('scheduler, a cancelled entry leaves the queue and never reaches the engine', async () => {
  const { engine, runs } = manualEngine();
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const first = scheduler.infer(tensor(1), never);
  const abort = new AbortController();
  const second = scheduler.infer(tensor(2), abort.signal);
  const third = scheduler.infer(tensor(3), never);
  abort.abort();
  await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(scheduler.queued).toBe(1);
  runs[0]?.end();
  await settled();
  runs[1]?.end();
  await Promise.all([first, third]);
  expect(runs.map((run) => run.inputs[0]?.[0])).toEqual([1, 3]);
});

test('scheduler, a full queue is refused at once', async () => {
  const { engine, runs } = manualEngine();
  const scheduler = createScheduler(engine, { maxQueue: 1 });
  const accepted = [scheduler.infer(tensor(1), never), scheduler.infer(tensor(2), never)];
  await expect(scheduler.infer(tensor(3), never)).rejects.toMatchObject({ code: 'OVERLOADED' });
  runs[0]?.end();
  await settled();
  runs[1]?.end();
  await Promise.all(accepted);
});
