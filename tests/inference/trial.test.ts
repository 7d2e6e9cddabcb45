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

test('trial, a faster GPU whose vectors are others is not taken', async () => {
  for (const [vector, taken] of [
    [[1, 2, 3.0001], 'gpu'],
    [[1, 2, 3.2], 'cpu'],
    [[0, 0, 0], 'cpu'],
  ] as const) {
    const { judge, told } = operator(trialOptions());
    expect(await judge(fake(1, vector), fake(20))).toBe(taken);
    expect(told.join()).toStartWith(`the ${taken.toUpperCase()} is taken`);
  }
});

test('trial, lets the GPU go when there is no CPU to measure it against', async () => {
  const gpu = fake(1);
  const judged = operator(trialOptions()).judge(gpu, new Error('no memory'));
  await expect(judged).rejects.toThrow('no memory');
  expect(gpu.closed()).toBe(1);
});
