/** Runs a model made in memory on onnxruntime-web, through the product's own session. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { openSession } from '../../src/inference/onnxruntime/session.ts';

export interface Runner {
  /** @returns the model's only output for one image, flattened */
  run(image: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** What of the manifest says how to run the graph. */
export interface RunnerOptions {
  readonly input: string;
  readonly output: string;
  readonly height: number;
  readonly width: number;
  /** Values of the output. */
  readonly values: number;
}

export async function openRunner(model: ModelProto, options: RunnerOptions): Promise<Runner> {
  const { input, output, height, width, values } = options;
  const bytes = toBinary(ModelProtoSchema, model);
  const path = join(tmpdir(), `quantize-${randomUUID()}.onnx`);
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600 });
    const session = await openSession({
      slice: { path, offset: 0, length: bytes.length },
      input,
      output,
      shape: [3, height, width],
      dimension: values,
      threads: availableParallelism(),
    });
    return {
      async run(image) {
        // The session computes in this thread: without a turn of the loop a signal would be heard after the last image.
        await setImmediate();
        return (await session.run([image]))[0]!;
      },
      release: () => session.release(),
    };
  } finally {
    rmSync(path, { force: true });
  }
}
