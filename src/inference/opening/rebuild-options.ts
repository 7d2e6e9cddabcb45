import type { GpuOptions } from './open-gpu.ts';

/** What a GPU that was lost is opened with: less of what may have broken it, but for what was asked for by name. */
export function rebuildOptions<Options extends Pick<GpuOptions, 'maxBatch' | 'graphCapture'>>(
  options: Options,
  { name, message }: Error,
): Options {
  const { maxBatch, graphCapture } = options;
  const outOfMemory = /out.?of.?memory/i.test(`${name} ${message}`);
  return {
    ...options,
    graphCapture: graphCapture === 'on' ? 'on' : 'off',
    maxBatch: outOfMemory ? Math.ceil(maxBatch / 2) : maxBatch,
  };
}
