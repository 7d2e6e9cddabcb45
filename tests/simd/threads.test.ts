import { afterAll, expect, test } from 'bun:test';
import type { Worker } from 'node:worker_threads';
import type { Engine } from '../../src/inference/engine.ts';
import { createSimdEngine, type SimdOptions } from '../../src/inference/simd/engine.ts';
import { startWorker } from '../../src/threads.ts';
import { openInProcess } from './support/in-process.ts';
import { testImage, tinyResnet } from './support/models.ts';

const model = tinyResnet({ inputSize: { height: 90, width: 70 }, blocks: [2, 2] });
const images = Array.from({ length: 12 }, (_, i) => testImage(model.manifest.graph, i));
const opened: Engine[] = [];
afterAll(async () => {
  await Promise.all(opened.map((engine) => engine.close()));
});

async function open(options: Omit<SimdOptions, 'model'>): Promise<Engine> {
  const result = await createSimdEngine({ model, ...options });
  if ('unsupported' in result) throw new Error(result.unsupported);
  opened.push(result.engine);
  return result.engine;
}

const inProcess = openInProcess(model);
const expected = images.map((image) => inProcess.run(image));

for (const threads of [1, 2, 3])
  test(`${threads} threads, give the same bits, one image at a time and many at once`, async () => {
    const engine = await open({ threads });
    expect(engine.threads).toBe(threads);
    expect(engine.concurrency).toBe(threads);
    for (const [i, image] of images.slice(0, 3).entries())
      expect(await engine.run([image])).toEqual([expected[i]!]);
    const together = await Promise.all(images.map((image) => engine.run([image])));
    expect(together).toEqual(expected.map((row) => [row]));
    expect(await engine.run(images)).toEqual(expected);
    await engine.close();
  });

test('two threads, give the same bits while other work holds a core', async () => {
  const engine = await open({ threads: 2 });
  const source = `const end = Date.now() + 1500; while (Date.now() < end);`;
  const busy = Bun.spawn([process.execPath, '-e', source]);
  for (let round = 0; round < 5; round++)
    expect(await Promise.all(images.map((image) => engine.run([image])))).toEqual(
      expected.map((row) => [row]),
    );
  busy.kill();
  await busy.exited;
  await engine.close();
});

/** An engine, and its threads to lay hands on. */
async function openWithWorkers(
  threads: number,
  patienceMs?: number,
): Promise<{ engine: Engine; workers: Worker[] }> {
  const workers: Worker[] = [];
  const engine = await open({
    threads,
    ...(patienceMs !== undefined && { patienceMs }),
    startThread(index) {
      const worker = startWorker('inference/simd/worker', { index });
      workers.push(worker);
      return worker;
    },
  });
  return { engine, workers };
}

test('a thread that dies, ends the engine: running and waiting images are rejected', async () => {
  const { engine, workers } = await openWithWorkers(2);
  const runs = Promise.allSettled(Array.from({ length: 200 }, () => engine.run([images[0]!])));
  await workers[1]!.terminate();
  const reason = await engine.lost;
  expect(reason.message).toMatch(/^computing thread 1 ended/);
  const rejected = (await runs).filter((run) => run.status === 'rejected');
  expect(rejected.length).toBeGreaterThan(0);
  for (const run of rejected) expect(run.reason).toBe(reason);
  await expect(engine.run([images[0]!])).rejects.toBe(reason);
  await engine.close();
});

test('a thread that throws, ends the engine with its error', async () => {
  const { engine, workers } = await openWithWorkers(1);
  workers[0]!.emit('error', new Error('thrown in a thread'));
  expect((await engine.lost).message).toBe('thrown in a thread');
  await engine.close();
});

test('a thread that hangs, ends the engine: what waits for it is rejected', async () => {
  const { engine, workers } = await openWithWorkers(2, 300);
  expect(await engine.run([images[0]!])).toEqual([expected[0]!]);
  // They never hear of the image.
  for (const worker of workers) worker.postMessage = () => {};
  const run = engine.run([images[0]!]);
  await expect(run).rejects.toThrow('it hangs: nothing has come back for 0.3 s');
  expect((await engine.lost).message).toContain('it hangs');
  await engine.close();
});

test('a thread that hangs where the others do without it, ends the engine as well', async () => {
  const { engine, workers } = await openWithWorkers(2, 300);
  workers[0]!.postMessage = () => {};
  expect(await engine.run([images[0]!])).toEqual([expected[0]!]);
  expect(await engine.run([images[1]!])).toEqual([expected[1]!]);
  expect((await engine.lost).message).toContain('it hangs');
  await engine.close();
});

test('threads that hang in the first image, or while they open, end the opening', async () => {
  for (const unheard of ['join', 'open'] as const) {
    const opening = createSimdEngine({
      model,
      threads: 2,
      openingMs: 500,
      startThread(index) {
        const worker = startWorker('inference/simd/worker', { index });
        const post = worker.postMessage.bind(worker);
        worker.postMessage = (message: { type: string }) => {
          if (message.type !== unheard) post(message);
        };
        return worker;
      },
    });
    await expect(opening).rejects.toThrow('it hangs: nothing has come back for 0.5 s');
  }
});

test('a thread that is idle, does not hang', async () => {
  const { engine } = await openWithWorkers(2, 60);
  await engine.run([images[0]!]);
  await Bun.sleep(150);
  expect(await engine.run([images[0]!])).toEqual([expected[0]!]);
  await engine.close();
});

test('an engine that is closed, rejects what runs and what comes', async () => {
  const engine = await open({ threads: 2 });
  const runs = Promise.allSettled(Array.from({ length: 100 }, () => engine.run([images[0]!])));
  await engine.close();
  expect((await runs).at(-1)).toMatchObject({ status: 'rejected' });
  await expect(engine.run([images[0]!])).rejects.toThrow('closed');
});

test('a tensor of the wrong size, is refused and the engine goes on', async () => {
  const engine = await open({ threads: 1 });
  await expect(engine.run([new Float32Array(7)])).rejects.toThrow('7 values, 18900 expected');
  expect(await engine.run([images[0]!])).toEqual([expected[0]!]);
  await engine.close();
});

test('a model file that vanishes, is an error and not a fallback', async () => {
  const { slice, manifest } = model;
  const gone = { manifest, slice: { ...slice, path: `${slice.path}.gone` } };
  await expect(createSimdEngine({ model: gone, threads: 1 })).rejects.toThrow('ENOENT');
});
