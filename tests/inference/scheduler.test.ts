import { expect, test } from 'bun:test';
import type { Failover } from '../../src/inference/failover.ts';
import { ReplacedError } from '../../src/inference/running.ts';
import { createScheduler } from '../../src/inference/scheduler.ts';
import { eventually } from '../support/eventually.ts';

/** An engine whose runs end when the test says so; it gives back each input's first value. */
type Engine = Pick<Failover<string>, 'concurrency' | 'maxBatch' | 'run'>;

function manualEngine(over: Partial<Engine> = {}) {
  const runs: { inputs: readonly Float32Array[]; end(): void; fail(error: Error): void }[] = [];
  const engine: Engine = {
    concurrency: 1,
    maxBatch: 1,
    run: (inputs) =>
      new Promise((resolve, reject) => {
        const rows = inputs.map((x) => x.slice(0, 1));
        runs.push({ inputs, end: () => resolve({ rows, model: 'test' }), fail: reject });
      }),
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
  const { engine } = manualEngine({ run: async () => ({ rows: [], model: 'test' }) });
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

test('scheduler, a lone entry is run at once however long others would be waited for', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 8, concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10, maxBatchWait: 60_000 });
  const answer = scheduler.infer(tensor(1), never);
  expect(runs.length).toBe(1);
  runs[0]?.end();
  expect((await answer).features[0]).toBe(1);
});

test('scheduler, a second batch is gathered until it is full', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 3, concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10, maxBatchWait: 60_000 });
  const answers = [1, 2, 3].map((n) => scheduler.infer(tensor(n), never));
  await settled();
  expect(runs.length).toBe(1);
  answers.push(scheduler.infer(tensor(4), never), scheduler.infer(tensor(5), never));
  expect(runs.map((run) => run.inputs.map((x) => x[0]))).toEqual([[1], [2, 3, 4]]);
  runs[1]?.end();
  runs[0]?.end();
  await settled();
  expect(runs[2]?.inputs.map((x) => x[0])).toEqual([5]);
  runs[2]?.end();
  expect((await Promise.all(answers)).map((a) => a.features[0])).toEqual([1, 2, 3, 4, 5]);
});

test('scheduler, a second batch that does not fill up goes when its first entry has waited long enough', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 8, concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10, maxBatchWait: 40 });
  const answers = [1, 2, 3].map((n) => scheduler.infer(tensor(n), never));
  // The first run does not end: only the time can start the second.
  await eventually(() => runs.length === 2);
  expect(runs[1]?.inputs.map((x) => x[0])).toEqual([2, 3]);
  for (const run of runs) run.end();
  const [, second] = await Promise.all(answers);
  expect(second?.queueMs).toBeGreaterThanOrEqual(39);
});

test('scheduler, what was gathered goes as soon as the engine is idle', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 8, concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10, maxBatchWait: 60_000 });
  const answers = [1, 2, 3].map((n) => scheduler.infer(tensor(n), never));
  runs[0]?.end();
  await settled();
  expect(runs[1]?.inputs.map((x) => x[0])).toEqual([2, 3]);
  runs[1]?.end();
  await Promise.all(answers);
});

test('scheduler, an entry whose deadline passes while its batch is gathered leaves before packing', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 3, concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10, maxBatchWait: 60_000 });
  const first = scheduler.infer(tensor(1), never);
  const late = scheduler.infer(tensor(2), AbortSignal.timeout(5));
  await expect(late).rejects.toMatchObject({ code: 'CANCELLED' });
  const rest = [3, 4, 5].map((n) => scheduler.infer(tensor(n), never));
  expect(runs[1]?.inputs.map((x) => x[0])).toEqual([3, 4, 5]);
  for (const run of runs) run.end();
  await Promise.all([first, ...rest]);
});

test('scheduler, an entry given up within a batch is answered at once and does not disturb the others', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const abort = new AbortController();
  const first = scheduler.infer(tensor(1), never);
  const second = scheduler.infer(tensor(2), abort.signal);
  const third = scheduler.infer(tensor(3), never);
  runs[0]?.end();
  await first;
  await settled();
  expect(runs[1]?.inputs.length).toBe(2);
  abort.abort();
  await expect(second).rejects.toMatchObject({ code: 'CANCELLED' });
  runs[1]?.end();
  expect((await third).features[0]).toBe(3);
});

test('scheduler, a failing batch fails all of its entries and no others', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const answers = [1, 2, 3, 4].map((n) => scheduler.infer(tensor(n), never));
  const outcomes = Promise.allSettled(answers);
  runs[0]?.end();
  await settled();
  runs[1]?.fail(new Error('boom'));
  await settled();
  runs[2]?.end();
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
  ]);
});

test('scheduler, a run whose engine was replaced is done again, in its order and without those who have left', async () => {
  const { engine, runs } = manualEngine({ maxBatch: 2, concurrency: 2 });
  const scheduler = createScheduler(engine, { maxQueue: 10 });
  const abort = new AbortController();
  const answers = [1, 2, 3, 4, 5].map((n) =>
    scheduler.infer(tensor(n), n === 3 ? abort.signal : never).then(
      ({ features }) => features[0],
      ({ code }) => code,
    ),
  );
  await settled();
  const packed = (): unknown => runs.map((run) => run.inputs.map((x) => x[0]));
  expect(packed()).toEqual([[1], [2]]);
  for (const run of runs) run.end();
  await settled();
  expect(packed()).toEqual([[1], [2], [3, 4], [5]]);
  abort.abort();
  for (const run of runs.slice(2)) run.fail(new ReplacedError('the engine was replaced'));
  await settled();
  expect(packed()).toEqual([[1], [2], [3, 4], [5], [4], [5]]);
  for (const run of runs.slice(4)) run.end();
  expect(await Promise.all(answers)).toEqual([1, 2, 'CANCELLED', 4, 5]);
});
