/** Which of GPU and CPU the trial takes, and what it tells. */
import { expect, test } from 'bun:test';
import { fake, operator, trialOptions, useFakeClock } from './support/fake-trial.ts';

useFakeClock();

test('trial, the faster one is taken and the other one closed', async () => {
  for (const [gpuMs, cpuMs, taken] of [
    [1, 20, 'gpu'],
    [20, 1, 'cpu'],
  ] as const) {
    const [gpu, cpu] = [fake(gpuMs), fake(cpuMs)];
    const { judge, told } = operator(trialOptions());
    expect(await judge(gpu, cpu)).toBe(taken);
    expect([gpu.closed(), cpu.closed()]).toEqual(taken === 'gpu' ? [0, 1] : [1, 0]);
    expect(told).toEqual([
      `the ${taken.toUpperCase()} is taken: GPU ${gpuMs}.0 ms an image, CPU ${cpuMs}.0 ms, cosine between them 1.0000000`,
    ]);
  }
});

const notRight = "warn: the CPU is taken: the GPU's vectors are not right: GPU 1.0 ms";

test.each<[string, number[], 'gpu' | 'cpu', string]>([
  ['a little off', [1, 2, 3.0001], 'gpu', 'the GPU is taken: GPU 1.0 ms'],
  ['off', [1, 2, 3.2], 'cpu', notRight],
  ['all zeros', [0, 0, 0], 'cpu', notRight],
  ['no numbers', [Number.NaN, 2, 3], 'cpu', notRight],
  ['beyond all numbers', [Number.POSITIVE_INFINITY, 2, 3], 'cpu', notRight],
])('trial, a faster GPU whose vectors are %s', async (_, vector, taken, words) => {
  const options = trialOptions();
  const { start, told } = operator(options);
  expect(await start(fake(1, vector), fake(20))).toBe(taken);
  expect(told).toEqual([expect.stringContaining(words)]);
  // The next start knows it, and says it as plainly.
  const next = operator(options);
  expect(await next.start(fake(1, vector), fake(20))).toBe(taken === 'gpu' ? 'gpu' : 'declined');
  expect(next.told).toEqual(told.map((line) => `${line} (measured at an earlier start)`));
});

test.each([
  ['all zeros', [0, 0, 0]],
  ['no numbers', [Number.NaN, 2, 3]],
] as const)('trial, a faster CPU whose vectors are %s', async (_, vector) => {
  const { start, told } = operator(trialOptions());
  expect(await start(fake(20), fake(1, vector))).toBe('gpu');
  expect(told).toEqual([
    'warn: the GPU is taken: the CPU failed in the trial: its vector is all zeros, or not of numbers',
  ]);
});

test('trial, a CPU that fails in it does not cost the GPU', async () => {
  const options = trialOptions();
  const { start, told } = operator(options);
  const [gpu, cpu] = [fake(20), fake(1, new Error('computing thread 0 ended (1)'))];
  expect(await start(gpu, cpu)).toBe('gpu');
  expect([gpu.closed(), cpu.closed()]).toEqual([0, 1]);
  expect(told).toEqual([
    'warn: the GPU is taken: the CPU failed in the trial: computing thread 0 ended (1)',
  ]);
  // How fast they are is not known: the next start tries again.
  expect(await operator(options).start(fake(20), fake(1))).toBe('cpu');
});

test('trial, a GPU that fails in it leaves the CPU', async () => {
  const options = trialOptions();
  const { start, told } = operator(options);
  const [gpu, cpu] = [fake(1, new Error('out of memory')), fake(20)];
  expect(await start(gpu, cpu)).toBe('cpu');
  expect([gpu.closed(), cpu.closed()]).toEqual([1, 0]);
  expect(told).toEqual(['warn: the CPU is taken: the GPU failed in the trial: out of memory']);
  expect(await operator(options).start(fake(1), fake(20))).toBe('gpu');
});

test('trial, keeps the GPU when there is no CPU to measure it against', async () => {
  const options = trialOptions();
  const { start, told } = operator(options);
  const gpu = fake(1);
  expect(await start(gpu, new Error('no memory'))).toBe('gpu');
  expect(gpu.closed()).toBe(0);
  expect(told).toEqual([
    'warn: the GPU is taken, there is no CPU to measure it against: no memory',
  ]);
  expect(await operator(options).start(fake(20), fake(1))).toBe('cpu');
});
