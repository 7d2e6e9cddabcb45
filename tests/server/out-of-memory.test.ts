/** A limit that the model does not fit into: a sentence, no stack. */
import { expect, spyOn, test } from 'bun:test';
import { explainOutOfMemory } from '../../src/cli/out-of-memory.ts';
import { createMemory } from '../../src/inference/simd/threads/memory.ts';

test('createMemory, an allocation that the system refuses: how much it was', () => {
  const refused = spyOn(WebAssembly, 'Memory').mockImplementation((() => {
    throw new RangeError('Out of memory');
  }) as never);
  const plan = { memoryBytes: 150 * 2 ** 20 } as unknown as Parameters<typeof createMemory>[0];
  try {
    expect(() => createMemory(plan, [])).toThrow(
      /^out of memory: the model takes 150 MiB at once, /,
    );
  } finally {
    refused.mockRestore();
  }
});

test('explainOutOfMemory, what the runtime says and what we say; other errors are not its business', () => {
  for (const message of ['Out of memory', 'Array buffer allocation failed'])
    expect(explainOutOfMemory(new RangeError(message))).toStartWith('out of memory: the system');
  const ours = 'out of memory: the model takes 150 MiB';
  expect(explainOutOfMemory(new Error(ours))).toBe(ours);
  expect(explainOutOfMemory(new Error('another'))).toBeUndefined();
  expect(explainOutOfMemory('thrown text')).toBeUndefined();
});
