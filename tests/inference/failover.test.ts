import { describe, expect, test } from 'bun:test';
import type { Engine } from '../../src/inference/engine.ts';
import { createFailover, type FailoverOptions } from '../../src/inference/failover.ts';
import { ReplacedError, type Running } from '../../src/inference/running.ts';
import { createScheduler } from '../../src/inference/scheduler.ts';
import { eventually } from '../support/eventually.ts';

function fakeEngine(over: Partial<Engine> = {}) {
  const lost = Promise.withResolvers<Error>();
  const batches: number[] = [];
  const engine: Engine = {
    name: 'onnxruntime',
    device: 'webgpu',
    threads: 1,
    concurrency: 1,
    maxBatch: 4,
    lost: lost.promise,
    run: async (inputs) => {
      batches.push(inputs.length);
      return inputs.map((x) => x.map((value) => value * 2));
    },
    close: async () => {},
    ...over,
  };
  return { engine, batches, lose: (reason: string) => lost.resolve(new Error(reason)) };
}

const failing = (message: string): Partial<Engine> => ({
  run: async () => {
    throw new Error(message);
  },
});
const inputs = [1, 2, 3].map((n) => Float32Array.of(n));
const never = new AbortController().signal;
const values = (rows: Float32Array[]): number[] => rows.map((row) => row[0] ?? Number.NaN);
const running = (engine: Engine, model = 'test'): Running<string> => ({ engine, model });

/** As the operator has it: behind the scheduler, which does again what is to be done again. */
function createFailoverEngine({
  first,
  next,
  ...rest
}: Omit<FailoverOptions<string>, 'first' | 'next'> & {
  first: Engine;
  next: readonly ((reason: Error) => Promise<Engine>)[];
}) {
  const failover = createFailover({
    first: running(first),
    next: next.map((open) => async (reason: Error) => running(await open(reason))),
    ...rest,
  });
  const scheduler = createScheduler(failover, { maxQueue: 100 });
  const infer = async (input: Float32Array): Promise<Float32Array> =>
    (await scheduler.infer(input, never)).features;
  return {
    failover,
    lost: failover.lost,
    close: () => failover.close(),
    run: (images: readonly Float32Array[]) => Promise.all(images.map(infer)),
    get current() {
      return failover.current.engine;
    },
    get device() {
      return failover.current.engine.device;
    },
    get available() {
      return failover.available;
    },
  };
}

test('failover, a failed run on the GPU is done again on the replacement, in its batch size', async () => {
  const cpu = fakeEngine({ device: 'wasm', maxBatch: 1 });
  const lines: string[] = [];
  const engine = createFailoverEngine({
    first: fakeEngine(failing('out of memory')).engine,
    next: [async () => cpu.engine],
    tell: (line) => lines.push(line),
  });
  expect(values(await engine.run(inputs))).toEqual([2, 4, 6]);
  expect(cpu.batches).toEqual([1, 1, 1]);
  expect(engine.device).toBe('wasm');
  expect(lines.join('\n')).toContain('out of memory');
});

test('failover, a replacement that cannot be opened is passed over', async () => {
  const cpu = fakeEngine({ device: 'wasm' });
  const engine = createFailoverEngine({
    first: fakeEngine(failing('device lost')).engine,
    next: [() => Promise.reject(new Error('still no driver')), async () => cpu.engine],
    tell: () => {},
  });
  expect(values(await engine.run(inputs))).toEqual([2, 4, 6]);
});

test('failover, runs wait while the replacement is opened, and none is lost', async () => {
  const gpu = fakeEngine();
  const opening = Promise.withResolvers<Engine>();
  const engine = createFailoverEngine({
    first: gpu.engine,
    next: [() => opening.promise],
    tell: () => {},
  });
  gpu.lose('destroyed');
  await Bun.sleep(1);
  expect(engine.available).toBe(false);
  const answers = [engine.run(inputs), engine.run(inputs)];
  opening.resolve(fakeEngine({ device: 'wasm' }).engine);
  expect((await Promise.all(answers)).map(values)).toEqual([
    [2, 4, 6],
    [2, 4, 6],
  ]);
  expect(engine.available).toBe(true);
  expect(gpu.batches).toEqual([]);
});

test('failover, the engine that was lost is closed before the next one is opened', async () => {
  const steps: string[] = [];
  const close = async (): Promise<void> => void steps.push('closed');
  const engine = createFailoverEngine({
    first: fakeEngine({ ...failing('device lost'), close }).engine,
    next: [
      async () => {
        steps.push('opened');
        return fakeEngine({ device: 'wasm' }).engine;
      },
    ],
    tell: () => {},
  });
  await engine.run(inputs);
  expect(steps).toEqual(['closed', 'opened']);
});

test('failover, several runs failing together open one replacement', async () => {
  let opened = 0;
  const engine = createFailoverEngine({
    first: fakeEngine(failing('device lost')).engine,
    next: [
      async () => {
        opened++;
        return fakeEngine({ device: 'wasm' }).engine;
      },
    ],
    tell: () => {},
  });
  await Promise.all([engine.run(inputs), engine.run(inputs), engine.run(inputs)]);
  expect(opened).toBe(1);
});

test('failover, a failed run on the CPU is that batch its own', async () => {
  const engine = createFailoverEngine({
    first: fakeEngine({ device: 'wasm', ...failing('bad tensor') }).engine,
    next: [async () => fakeEngine().engine],
    tell: () => {},
  });
  await expect(engine.run(inputs)).rejects.toMatchObject({
    code: 'INFERENCE_FAILED',
    cause: { message: 'bad tensor' },
  });
  expect(engine.device).toBe('wasm');
});

test('failover, with nothing left the engine is lost and runs fail', async () => {
  const engine = createFailoverEngine({
    first: fakeEngine(failing('device lost')).engine,
    next: [],
    tell: () => {},
  });
  await expect(engine.run(inputs)).rejects.toMatchObject({ code: 'NOT_READY' });
  expect((await engine.lost).message).toBe('device lost');
});

test('failover, a run that dies with its engine on the CPU is done again on the next one', async () => {
  const cpu = fakeEngine({
    device: 'wasm',
    run: async () => {
      cpu.lose('the thread ended');
      throw new Error('the thread ended');
    },
  });
  const engine = createFailoverEngine({
    first: cpu.engine,
    next: [async () => fakeEngine({ device: 'wasm' }).engine],
    tell: () => {},
  });
  expect(values(await engine.run(inputs))).toEqual([2, 4, 6]);
});

test('failover, a replacement that is lost as soon as it is there is replaced itself', async () => {
  const first = fakeEngine();
  const second = fakeEngine();
  second.lose('the driver is gone');
  const third = fakeEngine({ device: 'wasm' });
  const engine = createFailoverEngine({
    first: first.engine,
    next: [async () => second.engine, async () => third.engine],
    tell: () => {},
  });
  first.lose('destroyed');
  await eventually(() => engine.current === third.engine);
  expect(values(await engine.run(inputs))).toEqual([2, 4, 6]);
  expect(second.batches).toEqual([]);
});

test('failover, a loss and a broken replacement are warnings, the successor is news', async () => {
  const lines: string[] = [];
  const engine = createFailoverEngine({
    first: fakeEngine(failing('device lost')).engine,
    next: [
      () => Promise.reject(new Error('still no driver')),
      async () => fakeEngine({ device: 'wasm' }).engine,
    ],
    tell: (line, level = 'info') => lines.push(`${level}: ${line}`),
  });
  await engine.run(inputs);
  expect(lines).toEqual([
    'warn: onnxruntime on webgpu is lost: device lost',
    'warn: no replacement: still no driver',
    'info: going on with onnxruntime on wasm',
  ]);
});

/** An engine on the CPU that dies with its first run. */
const dying = (): Engine => {
  const fake = fakeEngine({
    device: 'wasm',
    run: async () => {
      fake.lose('the thread ended');
      throw new Error('the thread ended');
    },
  });
  return fake.engine;
};

test('failover, one that is lost soon after the last successor ends it', async () => {
  let opened = 0;
  const engine = createFailoverEngine({
    first: dying(),
    next: [
      async () => {
        opened++;
        return dying();
      },
    ],
    soundMs: 60_000,
    tell: () => {},
  });
  await expect(engine.run(inputs)).rejects.toMatchObject({ code: 'NOT_READY' });
  expect((await engine.lost).message).toBe('the thread ended');
  expect(opened).toBe(1);
});

test('failover, one that had been at work for long is followed by another, each time', async () => {
  const engines = Array.from({ length: 4 }, () => fakeEngine({ device: 'wasm' }));
  let opened = 0;
  const engine = createFailoverEngine({
    first: engines[0]!.engine,
    next: [async () => engines[++opened]!.engine],
    soundMs: 20,
    tell: () => {},
  });
  for (const n of [0, 1, 2]) {
    await Bun.sleep(25);
    engines[n]!.lose('the thread ended');
    await eventually(() => engine.current === engines[n + 1]!.engine);
    expect(values(await engine.run(inputs))).toEqual([2, 4, 6]);
  }
  expect(opened).toBe(3);
});

test('failover, a last successor that cannot be opened ends it, however long the one before it had run', async () => {
  let opened = 0;
  const first = fakeEngine({ device: 'wasm' });
  const engine = createFailoverEngine({
    first: first.engine,
    next: [
      () => {
        opened++;
        return Promise.reject(new Error('no memory'));
      },
    ],
    soundMs: 20,
    tell: () => {},
  });
  await Bun.sleep(25);
  first.lose('the thread ended');
  expect((await engine.lost).message).toBe('the thread ended');
  expect(opened).toBe(1);
});

test('failover, is closed while a replacement is being opened, which is closed when it is there', async () => {
  const first = fakeEngine();
  const opening = Promise.withResolvers<Engine>();
  const engine = createFailoverEngine({
    first: first.engine,
    next: [() => opening.promise],
    tell: () => {},
  });
  first.lose('the driver hangs');
  await eventually(() => !engine.available);
  await engine.close();
  const closed = Promise.withResolvers<string>();
  const late = fakeEngine({ close: async () => closed.resolve('closed') });
  opening.resolve(late.engine);
  expect(await closed.promise).toBe('closed');
  expect(engine.current).toBe(first.engine);
});

test('failover, why an engine was lost is told to what opens the next', async () => {
  const reasons: string[] = [];
  const engine = createFailoverEngine({
    first: fakeEngine(failing('out of memory')).engine,
    next: [
      async ({ message }) => {
        reasons.push(message);
        return fakeEngine().engine;
      },
    ],
    tell: () => {},
  });
  await engine.run(inputs);
  expect(reasons).toEqual(['out of memory']);
});

test('failover, tells with the rows whose they are', async () => {
  const failover = createFailover({
    first: running(fakeEngine(failing('device lost')).engine, 'fp16'),
    next: [async () => running(fakeEngine({ device: 'wasm' }).engine, 'fp32')],
    tell: () => {},
  });
  await expect(failover.run(inputs)).rejects.toBeInstanceOf(ReplacedError);
  expect(await failover.run(inputs)).toMatchObject({ model: 'fp32' });
});

describe('failover, a GPU whose rows are no vectors', () => {
  const numbers: Partial<Engine> = {
    run: async (images) => images.map(() => Float32Array.of(Number.NaN)),
  };
  const open = (answersWell: boolean) =>
    createFailoverEngine({
      first: fakeEngine(numbers).engine,
      next: [async () => fakeEngine({ device: 'wasm' }).engine],
      answersWell: async () => answersWell,
      tell: () => {},
    });

  test('is lost when it has come to give nothing else', async () => {
    const engine = open(false);
    expect(values(await engine.run(inputs))).toEqual([2, 4, 6]);
    expect(engine.device).toBe('wasm');
  });

  test('goes on when it is the image', async () => {
    const engine = open(true);
    expect(values(await engine.run(inputs))).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(engine.device).toBe('webgpu');
  });
});
