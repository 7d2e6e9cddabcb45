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
import { cpuFeed, type Feed, gpuFeed, imageSize } from './feed.ts';

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
  /**
   * Graph capture, on a GPU: the commands of the first run are recorded, and every later run replays them with the images
   * of then. onnxruntime-web records one shape, so `batchSizes` has one.
   */
  readonly capture?: boolean;
  /** onnxruntime prints a profile of every run when the session is released; for tests and benchmarks. */
  readonly profile?: boolean;
}

/** One row of `dimension` floats per input, copied out of onnxruntime's memory. */
export type Rows = Promise<Float32Array[]>;

export interface Session {
  /**
   * Hands a batch over; the next one may be handed over when this settles, while a GPU computes the rows of the first.
   * On the CPU they have been computed by then.
   */
  issue(inputs: readonly Float32Array[]): Promise<{ readonly rows: Rows }>;
  /** The rows of one batch, with nothing else going on. */
  run(inputs: readonly Float32Array[]): Rows;
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
    // Left there, the rows can be waited for while the next batch is issued.
    ...(gpu ? { preferredOutputLocation: 'gpu-buffer' } : {}),
    ...(options.capture ? { enableGraphCapture: true } : {}),
    ...(options.profile ? { enableProfiling: true } : {}),
  });
  const { shape } = options;
  const dataType = 'float32';
  const feed = gpu
    ? gpuFeed(gpu.device, shape, (buffer, dims) =>
        ort.Tensor.fromGpuBuffer(buffer, { dataType, dims }),
      )
    : cpuFeed(shape, (values, dims) => new ort.Tensor(dataType, values, dims));
  const issue = batchIssuer(session, options, feed);
  return {
    issue,
    run: async (inputs) => (await issue(inputs)).rows,
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

function batchIssuer(
  session: Ort.InferenceSession,
  options: SessionOptions,
  feed: Feed<Ort.Tensor>,
): Session['issue'] {
  const { input: inputName, output: outputName, dimension } = options;
  const size = imageSize(options.shape);
  return async (inputs) => {
    const count = options.batchSizes?.find((allowed) => allowed >= inputs.length) ?? inputs.length;
    for (const input of inputs)
      if (input.length !== size)
        throw new RangeError(`a tensor of ${input.length} values, ${size} expected`);
    const feeds = { [inputName]: feed(inputs, count) };
    const output = (await session.run(feeds, [outputName]))[outputName];
    if (!output) throw new Error(`the graph has no output named ${outputName}`);
    const read = async (): Rows => {
      // Asks for a copy at once: the next batch may be written to the same buffer on the GPU.
      const rows = (await output.getData(true)) as Float32Array;
      if (rows.length !== count * dimension)
        throw new ConfigError(
          `${options.slice.path}: its manifest says dimension ${dimension}, but ${rows.length / count} values an image came out: prepare the model again`,
        );
      return inputs.map((_, i) => rows.slice(i * dimension, (i + 1) * dimension));
    };
    return { rows: read() };
  };
}

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
