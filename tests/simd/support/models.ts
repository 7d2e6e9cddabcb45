/** Small ONNX models in temporary files, for the engines under test. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { float32Tensor, float32Value, node } from '../../../model/onnx/build.ts';
import { buildResnet } from '../../../model/resnet/build-resnet.ts';
import { type ResnetSpec, resnet50KerasV1 } from '../../../model/resnet/spec.ts';
import { untrainedWeights } from '../../../model/weights/untrained.ts';
import {
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
} from '../../../src/gen/onnx/onnx_pb.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { testFolder } from '../../support/test-folder.ts';

export { float32Tensor, float32Value, node };

const folder = testFolder('simd-models');

/** Writes a model; it is removed when the tests are over. */
export function writeModel(
  bytes: Uint8Array,
  graph: Partial<SimdModel['manifest']['graph']> & { height: number; width: number },
  dimension: number,
): SimdModel {
  const path = join(folder, `${randomUUID()}.onnx`);
  writeFileSync(path, bytes);
  return {
    slice: { path, offset: 0, length: bytes.length },
    manifest: {
      graph: { input: 'input', output: 'features', layout: 'NCHW', ...graph },
      dimension,
    },
  };
}

export const modelBytes = (graph: GraphProto, opset = 17): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph,
    }),
  );

/** A graph from `input` [N, 3, height, width] to `features`. */
export const graphOf = (
  { height, width }: { height: number; width: number },
  parts: Pick<GraphProto, 'node' | 'initializer'>,
): GraphProto =>
  create(GraphProtoSchema, {
    name: 'test',
    input: [float32Value('input', ['N', 3, height, width])],
    output: [float32Value('features', ['N', 'D'])],
    ...parts,
  });

/** A residual network small enough for a test, with seeded weights. */
export function tinyResnet(
  changes: Partial<ResnetSpec>,
  options: { foldBatchNorm?: boolean } = {},
): SimdModel {
  const spec: ResnetSpec = {
    ...resnet50KerasV1,
    blocks: [1, 2],
    filters: [16, 32],
    stemFilters: 16,
    inputSize: { height: 64, width: 64 },
    ...changes,
  };
  const bytes = buildResnet(spec, untrainedWeights(spec), options);
  const dimension = spec.filters.at(-1)! * (spec.block === 'bottleneck' ? 4 : 1);
  return writeModel(bytes, spec.inputSize, dimension);
}

/** A photograph's range of values, without being one. */
export const testImage = ({ height, width }: { height: number; width: number }, seed = 1) =>
  Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const wave = Math.sin((i % width) / 9 + seed) + Math.cos(i / width / 13 + seed * 2);
    return Math.round(60 * wave + (((i + seed) * 7919) % 23));
  });
