import { describe, expect, test } from 'bun:test';
import { chooseAdapter } from '../../src/inference/webgpu/choose-adapter.ts';

const adapter = (name: string) => ({ backend: 'vulkan', name });
const cards = [adapter('NVIDIA A100'), adapter('AMD Radeon'), adapter('llvmpipe (LLVM 15, 256)')];

describe('chooseAdapter', () => {
  test('takes a number from 0', () => {
    expect(chooseAdapter('1', cards)).toEqual({ chosen: cards[1]! });
  });

  test('takes a number that is no position as a part of the name', () => {
    const desktop = [adapter('Intel(R) UHD Graphics 770'), adapter('NVIDIA GeForce RTX 4090')];
    expect(chooseAdapter('4090', desktop)).toEqual({ chosen: desktop[1]! });
    expect(chooseAdapter('770', desktop)).toEqual({ chosen: desktop[0]! });
    expect(chooseAdapter('0', desktop)).toEqual({ chosen: desktop[0]! });
    expect(() => chooseAdapter('2', desktop)).toThrow(/no adapter is "2"/);
  });

  test('takes a part of the name in any case', () => {
    expect(chooseAdapter('radeon', cards)).toEqual({ chosen: cards[1]! });
  });

  test('takes the name as WebGPU spells it, and parts of it', () => {
    for (const name of ['llvmpipe-llvm-15-256-', 'LLVMpipe-LLVM'])
      expect(chooseAdapter(name, cards)).toEqual({ chosen: cards[2]! });
    expect(chooseAdapter('amd-radeon', cards)).toEqual({ chosen: cards[1]! });
    expect(() => chooseAdapter('-1', cards)).toThrow(/no adapter is "-1"/);
  });

  test('takes the first of several that the text fits, and says so', () => {
    expect(chooseAdapter('a', cards)).toEqual({
      chosen: cards[0]!,
      note: '--adapter a is a part of several names (0: NVIDIA A100, 1: AMD Radeon): the first is taken',
    });
  });

  test('takes the one whose name it is, though it is a part of others', () => {
    const alike = [adapter('NVIDIA A10'), adapter('NVIDIA A100')];
    expect(chooseAdapter('nvidia a10', alike)).toEqual({ chosen: alike[0]! });
    expect(() => chooseAdapter('NVIDIA A10', alike.toReversed())).toThrow(/cannot be told from 0/);
  });

  test('lists what there is when nothing fits', () => {
    const listed = /"3".*0: NVIDIA A100, 1: AMD Radeon, 2: llvmpipe/;
    expect(() => chooseAdapter('3', cards)).toThrow(listed);
    expect(() => chooseAdapter('intel', [])).toThrow(/there are: none/);
  });

  test('refuses a card that Dawn cannot tell from an earlier one', () => {
    const twins = [adapter('NVIDIA H200'), adapter('NVIDIA H200')];
    expect(chooseAdapter('0', twins)).toEqual({ chosen: twins[0]! });
    expect(() => chooseAdapter('1', twins)).toThrow(/cannot be told from 0: NVIDIA H200/);
    const prefix = [adapter('NVIDIA A100'), adapter('NVIDIA A10')];
    expect(() => chooseAdapter('1', prefix)).toThrow(/cannot be told/);
  });
});
