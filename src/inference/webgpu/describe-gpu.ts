/** What `info` prints of this machine's GPUs. */
import type { AdapterInfo } from '../adapter-info.ts';
import { type ListedAdapter, listAdapters } from './dawn.ts';
import { describeDrivers, mayHaveGpu } from './drivers.ts';

/**
 * @param opened - the GPU that is used, or that was opened and declined
 * @returns lines by their names
 */
export async function describeGpu(
  opened: AdapterInfo | undefined,
): Promise<Record<string, string>> {
  const { adapters, failure } = await list();
  const listed = adapters.map(({ name, backend }, index) => `${index}: ${name} (${backend})`);
  if (adapters.length === 0)
    return { adapters: ['none', failure, describeDrivers()].filter(Boolean).join('; ') };
  if (!opened) return { adapters: listed.join(', ') };
  const { name, vendor, backend, driver, software, features, limits, declined } = opened;
  return {
    adapters: listed.join(', '),
    adapter: `${name}, ${vendor}${software ? ', software' : ''}`,
    ...(declined === undefined ? {} : { declined }),
    backend,
    driver,
    'shader-f16': features.includes('shader-f16') ? 'yes, fp16 models run on it' : 'no',
    features: features.join(', '),
    limits: Object.entries(limits)
      .map(([limit, value]) => `${limit} ${value}`)
      .join(', '),
  };
}

async function list(): Promise<{
  readonly adapters: readonly ListedAdapter[];
  readonly failure?: string;
}> {
  if (!mayHaveGpu(true)) return { adapters: [] };
  try {
    return { adapters: await listAdapters() };
  } catch (error) {
    return { adapters: [], failure: (error as Error).message };
  }
}
