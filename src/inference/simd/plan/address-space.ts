/** Gives out the memory's addresses from low to high, and collects the constants that lie there. */
import { aligned } from './arena.ts';
import type { Constant } from './plan.ts';

export interface AddressSpace {
  reserve(bytes: number): number;
  /** Reserves room for constants; equal `key`s share it. */
  constant(key: string, make: () => Int32Array | Float32Array): number;
  readonly constants: readonly Constant[];
  readonly used: number;
}

/** The lowest page is left to the kernels' own constants, and makes 0 an address that means "none". */
const firstAddress = 65536;

export function createAddressSpace(): AddressSpace {
  const constants: Constant[] = [];
  const shared = new Map<string, number>();
  let used = firstAddress;
  const reserve = (bytes: number): number => {
    const address = used;
    used += aligned(bytes);
    return address;
  };
  return {
    reserve,
    constant(key, make) {
      const known = shared.get(key);
      if (known !== undefined) return known;
      const values = make();
      const address = reserve(values.byteLength);
      constants.push({ address, values });
      shared.set(key, address);
      return address;
    },
    constants,
    get used() {
      return used;
    },
  };
}
