import { create } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  type TensorProto,
  TensorProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { ModelError } from '../errors.ts';

/** The largest finite number of IEEE 754 binary16. */
export const largestHalf = 65504;

export interface HalfTensor {
  readonly tensor: TensorProto;
  /** Values that were not zero and are now: below 2⁻²⁵. */
  readonly vanished: number;
}

/**
 * A constant in half precision, each value rounded to the nearest (ties to even).
 * @throws ModelError when a value is too large for half precision
 */
export function halfTensor(
  name: string,
  dims: readonly bigint[],
  values: Float32Array,
): HalfTensor {
  const halves = new Float16Array(values);
  let vanished = 0;
  for (const [i, half] of halves.entries()) {
    const value = values[i]!;
    if (!Number.isFinite(half))
      throw new ModelError(`${name}: ${value} is beyond half precision (±${largestHalf})`);
    if (half === 0 && value !== 0) vanished++;
  }
  const tensor = create(TensorProtoSchema, {
    name,
    dims: [...dims],
    dataType: DataType.FLOAT16,
    rawData: new Uint8Array(halves.buffer),
  });
  return { tensor, vanished };
}
