/** What a trial keeps for the next start, and when the next start believes it. */
import { expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { thisMeasurer } from '../../src/inference/opening/calibration-key.ts';
import type { GpuOptions } from '../../src/inference/opening/open-gpu.ts';
import type { Manifest, Precision } from '../../src/model/manifest.ts';
import type { Model } from '../../src/model/open-model.ts';
import { testFolder } from '../support/test-folder.ts';
import {
  adapter,
  fake,
  model,
  operator,
  trialOptions,
  useFakeClock,
} from './support/fake-trial.ts';

useFakeClock();

const fileOf = ({ cacheDir }: GpuOptions): string => join(cacheDir!, 'calibration.json');

test('trial, a slower GPU is declined at the next start without being opened', async () => {
  const kept = trialOptions();
  expect(await operator(kept).start(fake(20), fake(1))).toBe('cpu');
  expect(await operator(kept).start(fake(20), fake(1))).toBe('declined');
  const { accept } = operator(kept);
  expect(() => accept({ ...adapter, driver: 'its driver 2.0' })).not.toThrow();
});

test('trial, a faster GPU is taken at the next start without being measured', async () => {
  const kept = trialOptions();
  expect(await operator(kept).start(fake(1), fake(20))).toBe('gpu');
  const { start, told } = operator(kept);
  const gpu = fake(1);
  expect(await start(gpu, new Error('the CPU is not to be opened'))).toBe('gpu');
  expect(gpu.runs()).toBe(0);
  expect(told).toEqual([expect.stringMatching(/^the GPU is taken: .*earlier start\)$/)]);
});

test('trial, what another operator keeps meanwhile does not take a GPU that was not measured', async () => {
  const kept = trialOptions();
  const wrong = [3, -2, 0.3];
  const { accept, judge, told } = operator(kept);
  accept(adapter);
  expect(await operator(kept).start(fake(1, wrong), fake(20))).toBe('cpu');
  const gpu = fake(1, wrong);
  expect(await judge(gpu, fake(20))).toBe('cpu');
  expect([gpu.runs() > 0, gpu.closed()]).toEqual([true, 1]);
  expect(told.length).toBe(1);
});

test('trial, a GPU that is opened a second time is told of once', async () => {
  const kept = trialOptions();
  expect(await operator(kept).start(fake(1), fake(20))).toBe('gpu');
  const { accept, start, told } = operator(kept);
  accept(adapter);
  expect(await start(fake(1), fake(20))).toBe('gpu');
  expect(told.length).toBe(1);
});

const { agreement: _, ...uncompared } = model.manifest.variants.fp32!;
const saying = (variants: Manifest['variants'], precision: Precision = 'fp32'): Model => ({
  ...{ ...model, precision },
  manifest: { ...model.manifest, variants },
});
const compared = model.manifest.variants.fp32!;
const first = { of: model, options: {}, by: {} };

test.each<[string, Partial<typeof first>, Partial<typeof first>]>([
  ['version', {}, { by: { program: '1.1 abc' } }],
  ['commit', {}, { by: { program: '1.0 def' } }],
  ['model of the CPU', {}, { by: { cpu: 'another CPU' } }],
  ['number of threads', {}, { options: { threads: 3 } }],
  ['word on graph capture', {}, { options: { graphCapture: 'auto' } }],
  ['word on the engine', {}, { options: { engine: 'onnxruntime' } }],
  ['engine on the CPU, simd once it agrees', { of: saying({ fp32: uncompared }) }, {}],
  [
    'engine on the CPU, where fp16 is fp32',
    { of: saying({ fp16: uncompared, fp32: uncompared }, 'fp16') },
    { of: saying({ fp16: uncompared, fp32: compared }, 'fp16') },
  ],
])('trial, another %s is measured anew', async (_what, one, other) => {
  const cacheDir = testFolder('trial');
  const start = (change: Partial<typeof first>, gpuMs: number) => {
    const { of, options, by } = { ...first, ...change };
    return operator(trialOptions({ ...options, cacheDir }), { of, by }).start(fake(gpuMs), fake(9));
  };
  expect(await start(one, 20)).toBe('cpu');
  expect(await start(other, 1)).toBe('gpu');
  // Both are kept.
  expect(await start(one, 1)).toBe('declined');
  expect(await start(other, 20)).toBe('gpu');
});

test('trial, --engine simd is what auto takes for this model', async () => {
  const kept = trialOptions();
  expect(await operator(kept).start(fake(20), fake(1))).toBe('cpu');
  const asked = { ...kept, engine: 'simd' } as const;
  expect(await operator(asked).start(fake(20), fake(1))).toBe('declined');
});

test('trial, from the sources nothing is kept: they may be others at the next start', async () => {
  const kept = trialOptions();
  for (let i = 0; i < 2; i++)
    expect(await operator(kept, { by: thisMeasurer() }).start(fake(20), fake(1))).toBe('cpu');
  expect(readdirSync(kept.cacheDir!)).toEqual([]);
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
  const kept = trialOptions();
  const start = () => operator(kept).start(fake(20), fake(1));
  expect(await start()).toBe('cpu');
  const [key = ''] = Object.keys(JSON.parse(readFileSync(fileOf(kept), 'utf8')));
  writeFileSync(fileOf(kept), content.replace('"KEY"', JSON.stringify(key)));
  expect(await start()).toBe('cpu');
  expect(await start()).toBe('declined');
});

test('trial, a cache folder that cannot be written does not cost the faster GPU', async () => {
  const { cacheDir } = trialOptions();
  const file = join(cacheDir!, 'file');
  writeFileSync(file, '');
  const { start, told } = operator(trialOptions({ cacheDir: file }));
  const gpu = fake(1);
  expect(await start(gpu, fake(20))).toBe('gpu');
  expect(gpu.closed()).toBe(0);
  expect(told).toEqual([expect.stringMatching(/^the GPU is taken: /)]);
});
