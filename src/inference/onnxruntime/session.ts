/** The one file that imports onnxruntime: opens a session on an ONNX file and runs batches through it. */
/// <reference types="@webgpu/types" />
import { closeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type * as Ort from 'onnxruntime-web';
// onnxruntime-web finds these by itself only beside its own sources; in the executable they are embedded.
import jspiLoaderPath from '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jspi.mjs' with {
  type: 'file',
};
import jspiWasmPath from '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jspi.wasm' with {
  type: 'file',
};
import loaderPath from '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs' with {
  type: 'file',
};
import wasmPath from '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm' with {
  type: 'file',
};
import { ConfigError } from '../../errors.ts';
import { type FileSlice, openSlice, readSlice } from '../../model/file-slice.ts';
import { readPacked } from '../../packed-file.ts';
import type { OpenDevice } from '../webgpu/adapter.ts';

export interface SessionOptions {
  readonly slice: FileSlice;
  /** Names and sizes from the manifest's `graph`; `shape` is that of one image, without the batch. */
  readonly input: string;
  readonly output: string;
  readonly shape: readonly [number, number, number];
  readonly dimension: number;
  readonly threads: number;
  /** Sizes of batch that are run; a batch between two of them is filled up. Ascending. @default any */
  readonly batchSizes?: readonly number[] | undefined;
  /** onnxruntime prints a profile of every run when the session is released; for tests and benchmarks. */
  readonly profile?: boolean;
}

export interface Session {
  /** @returns one row of `dimension` floats per input, copied out of onnxruntime's memory */
  run(inputs: readonly Float32Array[]): Promise<Float32Array[]>;
  release(): Promise<void>;
}

/**
 * @param gpu - the device to run on; undefined for WASM
 * @throws ConfigError when the model is at fault
 */
export async function openSession(options: SessionOptions, gpu?: OpenDevice): Promise<Session> {
  const ort = gpu ? await import('onnxruntime-web/jspi') : await import('onnxruntime-web');
  ort.env.wasm.numThreads = gpu ? 1 : options.threads;
  ort.env.wasm.wasmBinary = readPacked(gpu ? jspiWasmPath : wasmPath);
  ort.env.wasm.wasmPaths = { mjs: pathToFileURL(gpu ? jspiLoaderPath : loaderPath) };
  // What goes wrong is thrown as well, and belongs in our log.
  ort.env.logLevel = 'fatal';
  const session = await createSession(ort, options.slice, {
    // Without the device onnxruntime would open one of its own, on whichever adapter comes first.
    executionProviders: [gpu ? { name: 'webgpu', device: gpu.device } : 'wasm'],
    graphOptimizationLevel: 'all',
    // Without this, operators that WebGPU lacks run on one CPU thread, each with a copy there and back.
    ...(gpu ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
    ...(options.profile ? { enableProfiling: true } : {}),
  });
  const size = imageSize(options);
  const feed = gpu ? gpuFeed(ort, gpu, options, size) : cpuFeed(ort, options, size);
  return {
    run: batchRunner(session, options, feed),
    async release() {
      if (options.profile) session.endProfiling();
      await session.release();
    },
  };
}

/** onnxruntime's codes for a wrong argument, file, operator and graph (OrtErrorCode); others may be the machine's fault. */
const faultOfModel = /ERROR_CODE: (2|7|9|10),/;

async function createSession(
  ort: typeof Ort,
  slice: FileSlice,
  options: Ort.InferenceSession.SessionOptions,
): Promise<Ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(readModel(slice), options);
  } catch (error) {
    if (/fallback to CPU EP has been explicitly disabled/.test(String(error)))
      throw new Error('onnxruntime cannot run every operator of this model on WebGPU');
    if (faultOfModel.test(String(error)))
      throw new ConfigError(`onnxruntime cannot load ${slice.path}: ${(error as Error).message}`);
    throw error;
  }
}

function batchRunner(
  session: Ort.InferenceSession,
  options: SessionOptions,
  feed: Feed,
): Session['run'] {
  const { input: inputName, output: outputName, dimension } = options;
  const size = imageSize(options);
  return async (inputs) => {
    const count = options.batchSizes?.find((allowed) => allowed >= inputs.length) ?? inputs.length;
    for (const input of inputs)
      if (input.length !== size)
        throw new RangeError(`a tensor of ${input.length} values, ${size} expected`);
    const feeds = { [inputName]: feed(inputs, count) };
    const output = (await session.run(feeds, [outputName]))[outputName];
    if (!output) throw new Error(`the graph has no output named ${outputName}`);
    const rows = output.data as Float32Array;
    if (rows.length !== count * dimension)
      throw new ConfigError(
        `${options.slice.path}: its manifest says dimension ${dimension}, but ${rows.length / count} values an image came out: prepare the model again`,
      );
    return inputs.map((_, i) => rows.slice(i * dimension, (i + 1) * dimension));
  };
}

/**
 * Puts images where the network reads them. The sizes of batch are few, and memory is kept for each; rows of a batch that
 * is not full hold zeros or an earlier image, and nobody looks at what becomes of them.
 */
type Feed = (inputs: readonly Float32Array[], count: number) => Ort.Tensor;

function cpuFeed(ort: typeof Ort, { shape }: SessionOptions, size: number): Feed {
  const kept = new Map<number, Float32Array>();
  return (inputs, count) => {
    const batch = kept.get(count) ?? new Float32Array(count * size);
    kept.set(count, batch);
    for (const [i, input] of inputs.entries()) batch.set(input, i * size);
    return new ort.Tensor('float32', batch, [count, ...shape]);
  };
}

/** Straight into a buffer on the GPU: onnxruntime itself would copy the batch into its own memory first. */
function gpuFeed(
  ort: typeof Ort,
  { device }: OpenDevice,
  { shape }: SessionOptions,
  size: number,
): Feed {
  const kept = new Map<number, { buffer: GPUBuffer; tensor: Ort.Tensor }>();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const allocate = (count: number) => {
    const buffer = device.createBuffer({ size: count * size * bytesPerValue, usage });
    const dims = [count, ...shape];
    return { buffer, tensor: ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims }) };
  };
  return (inputs, count) => {
    const { buffer, tensor } = kept.get(count) ?? allocate(count);
    kept.set(count, { buffer, tensor });
    for (const [i, input] of inputs.entries())
      device.queue.writeBuffer(
        buffer,
        i * size * bytesPerValue,
        input as Float32Array<ArrayBuffer>,
      );
    return tensor;
  };
}

const bytesPerValue = Float32Array.BYTES_PER_ELEMENT;
const imageSize = ({ shape }: SessionOptions): number =>
  shape.reduce((product, side) => product * side, 1);

function readModel(slice: FileSlice): Uint8Array {
  const fd = openSlice(slice);
  try {
    const bytes = new Uint8Array(slice.length);
    readSlice(fd, slice, 0, bytes);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
