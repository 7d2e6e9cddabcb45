import { describe, expect, test } from 'bun:test';
import { chooseAdapter } from '../../src/inference/webgpu/choose-adapter.ts';

const adapter = (name: string) => ({ backend: 'vulkan', name });
const cards = [adapter('NVIDIA A100'), adapter('AMD Radeon'), adapter('llvmpipe')];

describe('chooseAdapter', () => {
  test('takes a number from 0', () => {
    expect(chooseAdapter('1', cards)).toBe(cards[1]!);
  });

  test('takes a part of the name in any case', () => {
    expect(chooseAdapter('radeon', cards)).toBe(cards[1]!);
  });

  test('takes the first of several that the text fits', () => {
    expect(chooseAdapter('a', cards)).toBe(cards[0]!);
  });

  test('lists what there is when nothing fits', () => {
    const listed = /"3".*0: NVIDIA A100, 1: AMD Radeon, 2: llvmpipe/;
    expect(() => chooseAdapter('3', cards)).toThrow(listed);
    expect(() => chooseAdapter('intel', [])).toThrow(/there are: none/);
  });

  test('refuses a card that Dawn cannot tell from an earlier one', () => {
    const twins = [adapter('NVIDIA H200'), adapter('NVIDIA H200')];
    expect(chooseAdapter('0', twins)).toBe(twins[0]!);
    expect(() => chooseAdapter('1', twins)).toThrow(/cannot be told from 0: NVIDIA H200/);
    const prefix = [adapter('NVIDIA A100'), adapter('NVIDIA A10')];
    expect(() => chooseAdapter('1', prefix)).toThrow(/cannot be told/);
  });
});
