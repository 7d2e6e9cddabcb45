/** What is refused before the operator listens, from the options alone. */
import { expect, test } from 'bun:test';
import { type CheckedOptions, checkOptions } from '../../src/embedder/check-options.ts';
import { ConfigError } from '../../src/errors.ts';
import { smallTestModel } from '../support/models.ts';

const good: CheckedOptions = {
  model: smallTestModel(),
  precision: 'fp32',
  device: 'auto',
  threads: undefined,
  urlAllow: [],
};
const cores = 2;
function refusal(changes: Partial<CheckedOptions>): string {
  try {
    checkOptions({ ...good, ...changes }, cores);
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

test('checkOptions, what is good passes without a word', () => {
  expect(checkOptions(good, cores)).toEqual([]);
  expect(checkOptions({ ...good, threads: 2 }, cores)).toEqual([]);
});

test.each<[Partial<CheckedOptions>, string]>([
  [{ model: '/nowhere/a.onnx' }, '--model /nowhere/a.onnx: there is no such file'],
  [
    { precision: 'int8' },
    '--precision int8: the model small_encoder has only fp32: give --precision fp32, or make it with',
  ],
  [{ device: 'webgpu', precision: 'int8' }, 'leave --device webgpu away'],
  [{ urlAllow: ['10.0.0.0/99'] }, '--url-allow: "10.0.0.0/99" is not a network'],
  [{ threads: 17 }, '--threads 17: at most 16 on this machine of 2 cores; one per core is'],
])('checkOptions, %j is refused', (changes, words) => {
  expect(refusal(changes)).toContain(words);
});

test('checkOptions, everything that is wrong is said at once', () => {
  const all = refusal({ model: '/nowhere/a.onnx', threads: 256, urlAllow: ['*.example'] });
  expect(all.split('\n')).toHaveLength(3);
});

test('checkOptions, more threads than cores are a warning', () => {
  expect(checkOptions({ ...good, threads: 3 }, cores)).toEqual([
    '--threads 3: more than the 2 cores of this machine; that is no faster',
  ]);
  expect(checkOptions({ ...good, threads: 33 }, 32)).toHaveLength(1);
  expect(() => checkOptions({ ...good, threads: 129 }, 32)).toThrow('at most 128');
});
