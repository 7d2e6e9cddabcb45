/** Runs an ONNX model's bytes with onnxruntime-web on one thread. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-web';
import {
  ModelProtoSchema,
  TensorShapeProto_DimensionSchema,
} from '../../../src/gen/onnx/onnx_pb.ts';

ort.env.wasm.numThreads = 1;

/** @returns the rows of `features`, before any normalisation */
export async function runOnnx(
  model: Uint8Array,
  inputs: readonly Float32Array[],
  height: number,
  width: number,
): Promise<Float32Array[]> {
  const session = await ort.InferenceSession.create(model);
  const batch = new Float32Array(inputs.length * 3 * height * width);
  for (const [index, input] of inputs.entries()) batch.set(input, index * input.length);
  const tensor = new ort.Tensor('float32', batch, [inputs.length, 3, height, width]);
  const { features } = await session.run({ input: tensor });
  await session.release();
  const data = features?.data as Float32Array;
  const dimension = data.length / inputs.length;
  return inputs.map((_, index) => data.slice(index * dimension, (index + 1) * dimension));
}

/** The same model for another image size: the weights do not depend on it. */
export function withInputSize(model: Uint8Array, height: number, width: number): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  const type = proto.graph?.input[0]?.type?.value;
  if (type?.case !== 'tensorType' || !type.value.shape) throw new Error('the model has no input');
  for (const [index, size] of [height, width].entries())
    type.value.shape.dim[2 + index] = create(TensorShapeProto_DimensionSchema, {
      value: { case: 'dimValue', value: BigInt(size) },
    });
  return toBinary(ModelProtoSchema, proto);
}

/** The largest difference, relative to the largest value of the reference. */
export function relativeDifference(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
): number {
  if (actual.length !== reference.length) throw new Error('different lengths');
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < reference.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - reference[i]!));
    largest = Math.max(largest, Math.abs(reference[i]!));
  }
  return difference / largest;
}
