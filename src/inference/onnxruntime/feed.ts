/** Puts the images of a batch where the network reads them: into memory of the CPU, or into a buffer on the GPU. */
/// <reference types="@webgpu/types" />

const bytesPerValue = Float32Array.BYTES_PER_ELEMENT;

/** Values of one image. */
export const imageSize = (shape: readonly number[]): number =>
  shape.reduce((product, side) => product * side, 1);

/**
 * The sizes of batch are few, and memory is kept for each; rows of a batch that is not full hold zeros or an earlier image,
 * and nobody looks at what becomes of them.
 * @param count - size of the batch, at least that of `inputs`
 * @returns what onnxruntime takes for a tensor
 */
export type Feed<Tensor> = (inputs: readonly Float32Array[], count: number) => Tensor;

/** @param tensorOf - of values and dimensions */
export function cpuFeed<Tensor>(
  shape: readonly number[],
  tensorOf: (values: Float32Array, dims: number[]) => Tensor,
): Feed<Tensor> {
  const size = imageSize(shape);
  const kept = new Map<number, Float32Array>();
  return (inputs, count) => {
    const batch = kept.get(count) ?? new Float32Array(count * size);
    kept.set(count, batch);
    for (const [i, input] of inputs.entries()) batch.set(input, i * size);
    return tensorOf(batch, [count, ...shape]);
  };
}

/**
 * Straight into a buffer on the GPU: onnxruntime itself would copy the batch into its own memory first.
 * @param tensorOf - of a buffer of float32 and dimensions
 */
export function gpuFeed<Tensor>(
  device: GPUDevice,
  shape: readonly number[],
  tensorOf: (buffer: GPUBuffer, dims: number[]) => Tensor,
): Feed<Tensor> {
  const size = imageSize(shape);
  const kept = new Map<number, { buffer: GPUBuffer; tensor: Tensor }>();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const allocate = (count: number) => {
    const buffer = device.createBuffer({ size: count * size * bytesPerValue, usage });
    return { buffer, tensor: tensorOf(buffer, [count, ...shape]) };
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
