import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/inference/engine.ts';
import type { OnnxruntimeEngine } from '../../src/inference/onnxruntime/engine.ts';
import type { GpuOptions } from '../../src/inference/open-gpu.ts';
import { createTrial, DeclinedError } from '../../src/inference/trial.ts';
import type { AdapterInfo } from '../../src/inference/webgpu/adapter.ts';
import { openModel } from '../../src/model/open-model.ts';
import { tinyTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

const model = openModel(tinyTestModel(), 'fp32');
const adapter = { name: 'a card', driver: 'its driver 1.0' } as AdapterInfo;
const options = (): GpuOptions => ({
  ...{ engine: 'auto', threads: 2, precision: 'fp32', maxBatch: 1, adapter: undefined },
  ...{
    allowSoftwareGpu: false,
    graphCapture: 'off',
    cacheDir: testFolder('trial'),
  },
});

function engine(ms: number, values = [1, 2, 3]): OnnxruntimeEngine & Engine {
  return {
    ...{
      name: 'onnxruntime',
      device: 'webgpu',
      threads: 1,
      concurrency: 1,
      maxBatch: 1,
      adapter,
      capture: undefined,
    },
    lost: new Promise<Error>(() => {}),
    async run(inputs) {
      await Bun.sleep(ms);
      return inputs.map(() => Float32Array.from(values));
    },
    close: async () => {},
  };
}

const judge = (gpuMs: number, cpuMs: number, kept: GpuOptions, program: string) =>
  createTrial(model, kept, () => {}, program).judge({ model, engine: engine(gpuMs) }, async () => ({
    model,
    engine: engine(cpuMs),
  }));

test('trial, a slower GPU is declined at the next start without being measured', async () => {
  const kept = options();
  expect(await judge(20, 1, kept, '1.0 abc')).toBeDefined();
  const next = createTrial(model, kept, () => {}, '1.0 abc');
  expect(() => next.accept(adapter)).toThrow(DeclinedError);
  expect(() => next.accept({ ...adapter, driver: 'its driver 2.0' })).not.toThrow();
});

test('trial, a faster GPU whose vectors are others is not taken', async () => {
  for (const [values, taken] of [
    [[1, 2, 3.0001], true],
    [[1, 2, 3.2], false],
    [[0, 0, 0], false],
  ] as const) {
    const lines: string[] = [];
    const trial = createTrial(model, options(), (line) => lines.push(line), '1.0 abc');
    const cpu = { model, engine: engine(20) };
    const other = await trial.judge({ model, engine: engine(1, [...values]) }, async () => cpu);
    expect(other).toBe(taken ? undefined : cpu);
    expect(lines.join()).toStartWith(taken ? 'the GPU is taken' : 'the CPU is taken');
  }
});

for (const program of ['1.1 abc', '1.0 def'])
  test(`trial, the program ${program} measures anew what 1.0 abc has measured`, async () => {
    const kept = options();
    expect(await judge(20, 1, kept, '1.0 abc')).toBeDefined();
    expect(() => createTrial(model, kept, () => {}, program).accept(adapter)).not.toThrow();
    // It would keep its GPU if it believed the other's figures.
    expect(await judge(20, 1, kept, program)).toBeDefined();
    expect(await judge(1, 20, options(), program)).toBeUndefined();
  });

test.each([
  'null',
  '[]',
  '7',
  '"x"',
  '{"a',
  '{"KEY":null}',
  '{"KEY":{"take":"gpu"}}',
  '{"KEY":{}}',
])('trial, measures and remembers anew when what was kept is %s', async (content) => {
  const kept = options();
  const file = join(kept.cacheDir!, 'calibration.json');
  expect(await judge(20, 1, kept, '1.0 abc')).toBeDefined();
  const [key = ''] = Object.keys(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(file, content.replace('"KEY"', JSON.stringify(key)));
  const next = () => createTrial(model, kept, () => {}, '1.0 abc');
  expect(() => next().accept(adapter)).not.toThrow();
  expect(await judge(20, 1, kept, '1.0 abc')).toBeDefined();
  expect(() => next().accept(adapter)).toThrow(DeclinedError);
});

test('trial, lets the GPU go when there is no CPU to measure it against', async () => {
  let closed = 0;
  const close = async (): Promise<void> => void closed++;
  const gpu = { model, engine: { ...engine(1), close } };
  const noCpu = () => Promise.reject(new Error('no memory'));
  const trial = createTrial(model, options(), () => {}, '1.0 abc');
  await expect(trial.judge(gpu, noCpu)).rejects.toThrow('no memory');
  expect(closed).toBe(1);
});
