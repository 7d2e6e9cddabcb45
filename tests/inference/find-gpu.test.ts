import { expect, test } from 'bun:test';
import { type EngineOptions, findGpu } from '../../src/inference/opening/find-gpu.ts';

const options: EngineOptions = {
  ...{ engine: 'auto', threads: 1, maxBatch: 1, adapter: '0', allowSoftwareGpu: true },
  ...{ graphCapture: 'auto', cacheDir: undefined, device: 'auto', precision: 'fp32' },
};

test.each([
  // What the command line has told already it does not ask for.
  [{ device: 'wasm' }, []],
  [{ precision: 'int8' }, []],
  [
    { precision: 'int8', idleOnCpu: '--adapter has no effect' },
    ['warn: --adapter has no effect: int8 is what this model has, and it runs on the CPU'],
  ],
] as const)('findGpu, %j, looks for none and says %j', async (given, said) => {
  const lines: string[] = [];
  const none = (): never => {
    throw new Error('nothing is to be opened');
  };
  const tell = (message: string, level = 'info'): void => void lines.push(`${level}: ${message}`);
  expect(await findGpu(none, { ...options, ...given }, tell, none)).toEqual({});
  expect(lines).toEqual([...said]);
});
