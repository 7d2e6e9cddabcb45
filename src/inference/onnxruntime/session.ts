/** The one file that imports onnxruntime: opens a session on an ONNX file and runs batches through it. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-web';
// The Node build of onnxruntime-web finds these by itself only beside its own sources; in the executable they are embedded.
import loaderPath from '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs' with {
  type: 'file',
};
import wasmPath from '../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm' with {
  type: 'file',
};
import { type FileSlice, readSlice } from '../../model/file-slice.ts';

export interface SessionOptions {
  readonly slice: FileSlice;
  /** Names and sizes from the manifest's `graph`; `shape` is that of one image, without the batch. */
  readonly input: string;
  readonly output: string;
  readonly shape: readonly [number, number, number];
  readonly dimension: number;
  readonly threads: number;
  /** Prints onnxruntime's profile of every run when the session is released; for tests and benchmarks. */
  readonly profile?: boolean;
}

export interface Session {
  /** @returns one row of `dimension` floats per input, copied out of onnxruntime's memory */
  run(inputs: readonly Float32Array[]): Promise<Float32Array[]>;
  release(): Promise<void>;
}

export async function openSession(options: SessionOptions): Promise<Session> {
  ort.env.wasm.numThreads = options.threads;
  ort.env.wasm.wasmBinary = readFileSync(wasmPath);
  ort.env.wasm.wasmPaths = { mjs: pathToFileURL(loaderPath) };
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(readModel(options.slice), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    ...(options.profile ? { enableProfiling: true } : {}),
  });
  const size = options.shape.reduce((product, side) => product * side, 1);
  // One staging buffer per batch size: the sizes are few, and each run copies into the same memory.
  const staging = new Map<number, Float32Array>();

  return {
    async run(inputs) {
      let batch = staging.get(inputs.length);
      if (!batch) {
        batch = new Float32Array(inputs.length * size);
        staging.set(inputs.length, batch);
      }
      for (const [i, input] of inputs.entries()) {
        if (input.length !== size)
          throw new RangeError(`a tensor of ${input.length} values, ${size} expected`);
        batch.set(input, i * size);
      }
      const feeds = {
        [options.input]: new ort.Tensor('float32', batch, [inputs.length, ...options.shape]),
      };
      const results = await session.run(feeds, [options.output]);
      const output = results[options.output];
      if (!output) throw new Error(`the graph has no output named ${options.output}`);
      const rows = output.data as Float32Array;
      if (rows.length !== inputs.length * options.dimension)
        throw new Error(
          `the graph's output has ${rows.length} values, ${inputs.length} × ${options.dimension} expected`,
        );
      return inputs.map((_, i) => rows.slice(i * options.dimension, (i + 1) * options.dimension));
    },
    async release() {
      if (options.profile) session.endProfiling();
      await session.release();
    },
  };
}

function readModel(slice: FileSlice): Uint8Array {
  const fd = openSync(slice.path, 'r');
  try {
    const bytes = new Uint8Array(slice.length);
    readSlice(fd, slice, 0, bytes);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
