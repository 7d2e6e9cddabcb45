/** The one file that loads Dawn, the WebGPU implementation that the GPU path runs on. */
/// <reference types="@webgpu/types" />

interface DawnAddon {
  /** Flags as Dawn's command-line switches: `adapter=NAME`, `backend=vulkan` … */
  create(flags: string[]): GPU;
  /** GPUBufferUsage, GPUMapMode … as a browser has them globally. */
  globals: Record<string, unknown>;
}

/**
 * Makes `navigator.gpu`. Within the executable, Bun unpacks the addon to the temporary folder first, which must be writable
 * and allow execution.
 * @throws Error saying what is missing: a library, the folder, an addon for this platform
 */
export function loadDawn(flags: string[]): GPU {
  const addon = loadAddon();
  Object.assign(globalThis, addon.globals);
  const gpu = addon.create(flags);
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  return gpu;
}

/** Lets Dawn go: while `navigator.gpu` stands, its thread does not end. */
export function unloadDawn(): void {
  Reflect.deleteProperty(globalThis.navigator, 'gpu');
}

export interface ListedAdapter {
  readonly backend: string;
  /** The driver's own name of the GPU. */
  readonly name: string;
}

/**
 * Every adapter of this machine, software ones included, in the order in which Dawn tries them.
 * @throws Error when the addon cannot be loaded, or with the reason for which Dawn does not look
 */
export async function listAdapters(): Promise<ListedAdapter[]> {
  // The addon tells the names only in the error for a name that no adapter has.
  const gpu = loadAddon().create(['adapter=*?*']);
  const text = await gpu.requestAdapter({ powerPreference: 'high-performance' }).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const lines = text.matchAll(/^ \* backend: '(.*)', name: '(.*)'$/gm);
  const adapters = [...lines].map(([, backend = '', name = '']) => ({ backend, name }));
  if (adapters.length === 0 && text !== '') throw new Error(text.replaceAll('\n', '; '));
  return adapters;
}

function loadAddon(): DawnAddon {
  try {
    return platformAddon();
  } catch (error) {
    throw new Error(
      `the WebGPU addon cannot be loaded: ${(error as Error).message} (it needs libstdc++ and libgcc_s, and a writable temporary folder that allows execution: TMPDIR)`,
    );
  }
}

// Literal paths, and conditions the build decides: the executable carries the addon of its own platform only.
function platformAddon(): DawnAddon {
  if (process.platform === 'linux' && process.arch === 'x64')
    return require('../../../node_modules/webgpu/dist/linux-x64/dawn.node');
  if (process.platform === 'linux' && process.arch === 'arm64')
    return require('../../../node_modules/webgpu/dist/linux-arm64/dawn.node');
  if (process.platform === 'darwin')
    return require('../../../node_modules/webgpu/dist/darwin-universal/dawn.node');
  if (process.platform === 'win32' && process.arch === 'x64')
    return require('../../../node_modules/webgpu/dist/win32-x64/dawn.node');
  throw new Error(`there is none for ${process.platform} ${process.arch}`);
}
