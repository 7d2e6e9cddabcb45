/** What `info` prints of this machine's GPUs. */
import type { AdapterInfo } from './adapter.ts';
import { listAdapters } from './dawn.ts';
import { describeDrivers, mayHaveGpu } from './drivers.ts';

/**
 * @param taken - the GPU that is used
 * @returns lines by their names
 */
export async function describeGpu(taken: AdapterInfo | undefined): Promise<Record<string, string>> {
  const adapters = mayHaveGpu(true) ? await listAdapters().catch(() => []) : [];
  const listed = adapters.map(({ name, backend }, index) => `${index}: ${name} (${backend})`);
  if (adapters.length === 0) return { adapters: `none; ${describeDrivers()}` };
  if (!taken) return { adapters: listed.join(', ') };
  const { name, vendor, backend, driver, software, features, limits } = taken;
  return {
    adapters: listed.join(', '),
    adapter: `${name}, ${vendor}${software ? ', software' : ''}`,
    backend,
    driver,
    'shader-f16': features.includes('shader-f16') ? 'yes, fp16 models run on it' : 'no',
    features: features.join(', '),
    limits: Object.entries(limits)
      .map(([limit, value]) => `${limit} ${value}`)
      .join(', '),
  };
}
