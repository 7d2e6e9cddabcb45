import { expect, test } from 'bun:test';
import type { Engine } from '../../src/inference/engine.ts';
import { createFailoverEngine } from '../../src/inference/failover.ts';

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
const values = (rows: Float32Array[]): number[] => rows.map((row) => row[0] ?? Number.NaN);

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
  await expect(engine.run(inputs)).rejects.toThrow('bad tensor');
  expect(engine.device).toBe('wasm');
});

test('failover, with nothing left the engine is lost and runs fail', async () => {
  const engine = createFailoverEngine({
    first: fakeEngine(failing('device lost')).engine,
    next: [],
    tell: () => {},
  });
  await expect(engine.run(inputs)).rejects.toThrow('device lost');
  expect((await engine.lost).message).toBe('device lost');
});
