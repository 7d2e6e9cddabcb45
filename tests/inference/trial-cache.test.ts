/** What a trial keeps for the next start, and when the next start believes it. */
import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GpuOptions } from '../../src/inference/open-gpu.ts';
import { adapter, fake, operator, trialOptions, useFakeClock } from './support/fake-trial.ts';

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

for (const program of ['1.1 abc', '1.0 def'])
  test(`trial, the program ${program} measures anew what 1.0 abc has measured`, async () => {
    const kept = trialOptions();
    expect(await operator(kept).start(fake(20), fake(1))).toBe('cpu');
    expect(await operator(kept, { program }).start(fake(1), fake(20))).toBe('gpu');
    expect(await operator(kept).start(fake(20), fake(1))).toBe('declined');
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
