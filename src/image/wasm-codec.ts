/** An image codec compiled to WebAssembly by Emscripten, kept in a state that can be trusted. */
import { readFileSync } from 'node:fs';

/** The part of an Emscripten module that is used here. */
export interface CodecModule {
  decode(file: BufferSource, ...options: unknown[]): ImageData | null;
}

export interface CodecResult {
  /** RGBA, or undefined when the codec gave up. */
  readonly image: ImageData | undefined;
  /** What the codec printed; if it threw without a word, what it threw. */
  readonly messages: readonly string[];
  /** It was refused memory. */
  readonly starved: boolean;
}

export interface WasmCodec {
  /** @param memory - bytes that the codec may take beyond `spareMemory`; what needs more fails */
  decode(file: Uint8Array, memory: number, ...options: unknown[]): Promise<CodecResult>;
}

export interface CodecOptions {
  /** False: every image has an instance of its own. */
  readonly keep: boolean;
}

/** What Emscripten's module factories take; their published types leave most of it out. */
interface ModuleOptions {
  noInitialRun: boolean;
  print(line: string): void;
  printErr(line: string): void;
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
}

/**
 * Where there is no ImageData, the first module defines one within its own scope, and the global name then keeps that scope
 * and its memory, grown as it may be, for ever. So there is one before any module.
 */
class PlainImageData {
  constructor(
    readonly data: Uint8ClampedArray,
    readonly width: number,
    readonly height: number,
  ) {}
}
globalThis.ImageData ??= PlainImageData as unknown as typeof ImageData;

interface Instance {
  readonly module: CodecModule;
  readonly memory: BoundedMemory;
  readonly printed: string[];
}

interface BoundedMemory {
  readonly size: number;
  /** Most bytes that it may have. */
  limit: number;
  /** Whether more was asked for since the limit was set. */
  refused: boolean;
}

/**
 * What a codec may take besides what its image was granted: its first 16 MiB, the rest of earlier images, and what the
 * estimates leave out. Hostile files can ask for anything: the Huffman tables of a WebP of one megapixel and
 * 295 kB took 376 MB.
 */
const spareMemory = 64 * 1024 * 1024;

/**
 * WebAssembly memory never shrinks, and the codecs' glue code holds on to the last image as well: an instance that has grown
 * beyond this is dropped with all that. A new one takes a millisecond; an image that makes it grow so far takes a hundred.
 */
const maxKeptMemory = 32 * 1024 * 1024;

/**
 * Compiles the codec and makes a first instance, so that the first image does not pay for it.
 * @param createModule - the factory in the codec's JavaScript file
 * @param wasmPath - where its WebAssembly file can be read: within the executable, not where the factory would look
 */
export async function createWasmCodec(
  createModule: (options: never) => Promise<CodecModule>,
  wasmPath: string,
  { keep }: CodecOptions,
): Promise<WasmCodec> {
  const compiled = new WebAssembly.Module(readFileSync(wasmPath));
  const create = createModule as unknown as (options: ModuleOptions) => Promise<CodecModule>;
  let instance: Instance | undefined = await instantiate(create, compiled);
  return {
    async decode(file, memory, ...options) {
      const current: Instance = instance ?? (await instantiate(create, compiled));
      // A codec that fails leaves by exit(): what it had allocated stays allocated. So a failed instance is dropped.
      instance = undefined;
      current.printed.length = 0;
      current.memory.limit = spareMemory + memory;
      current.memory.refused = false;
      try {
        const image =
          current.module.decode(file as Uint8Array<ArrayBuffer>, ...options) ?? undefined;
        if (image && keep && current.memory.size <= maxKeptMemory) instance = current;
        return { image, messages: [...current.printed], starved: current.memory.refused };
      } catch (error) {
        return {
          image: undefined,
          messages: current.printed.length > 0 ? [...current.printed] : [String(error)],
          starved: current.memory.refused,
        };
      }
    },
  };
}

async function instantiate(
  createModule: (options: ModuleOptions) => Promise<CodecModule>,
  compiled: WebAssembly.Module,
): Promise<Instance> {
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  let memory: WebAssembly.Memory | undefined;
  const module = await createModule({
    noInitialRun: true,
    print,
    printErr: print,
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(compiled, imports);
      memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
      receive(instance);
      return instance.exports;
    },
  });
  if (!memory) throw new Error('the codec exports no memory');
  return { module, memory: bound(memory), printed };
}

/** Emscripten's code calls `grow`, and tells the codec's allocator when that throws. */
function bound(memory: WebAssembly.Memory): BoundedMemory {
  const bounded = {
    limit: Number.POSITIVE_INFINITY,
    refused: false,
    get size() {
      return memory.buffer.byteLength;
    },
  };
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (bounded.size + pages * 65536 <= bounded.limit) return grow(pages);
    bounded.refused = true;
    throw new RangeError('the image may not take so much memory');
  };
  return bounded;
}
