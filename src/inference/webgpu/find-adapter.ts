/** Asks Dawn for the adapter that is meant or, where none was named, for one that suits. */
/// <reference types="@webgpu/types" />
import { chooseAdapter, foundBy, webName } from './choose-adapter.ts';
import { listAdapters, loadDawn } from './dawn.ts';

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  /** The driver's own, as in the list of all adapters. */
  readonly name: string;
  /** For the log: why it is this one, where another might have been expected. */
  readonly note?: string | undefined;
}

/** What an adapter should have, if there is one that has it. */
export interface Need {
  readonly suits: (adapter: GPUAdapter) => boolean;
  /** Completes "SwiftShader Device ". */
  readonly lacks: string;
}

/**
 * @param wanted - `--adapter`
 * @returns without `wanted` the driver's choice of the fastest; that one as well when none suits
 * @throws Error with what Dawn or the driver says
 */
export async function findAdapter(wanted: string | undefined, need?: Need): Promise<FoundAdapter> {
  const listed = await listAdapters();
  if (listed.length === 0) throw new Error('no WebGPU adapter was found');
  if (wanted) {
    const { chosen, note } = chooseAdapter(wanted, listed);
    return { adapter: await request(chosen.name), name: chosen.name, note };
  }
  const fastest = await request();
  const [first] = listed.filter(({ name }) => webName(name) === fastest.info.device);
  const name = first?.name ?? (fastest.info.device || fastest.info.description);
  if (!need || need.suits(fastest)) return { adapter: fastest, name };
  const others = listed.filter((other) => other !== first && foundBy(other, listed) === other);
  for (const other of others) {
    // One that cannot be had is no reason to go without the fastest.
    const adapter = await request(other.name).catch(() => undefined);
    const note = `${name} ${need.lacks}: ${other.name} is taken`;
    if (adapter && need.suits(adapter)) return { adapter, name: other.name, note };
  }
  // Asked for again: `navigator.gpu` is to be the one that this adapter is of.
  return { adapter: await request(), name };
}

/** @throws Error with the driver's reason */
async function request(name?: string): Promise<GPUAdapter> {
  const gpu = loadDawn(name === undefined ? [] : [`adapter=${name}`]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('no WebGPU adapter was found');
  return adapter;
}
