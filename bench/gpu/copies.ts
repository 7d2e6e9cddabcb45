/** What an image goes through on its way to the GPU and back, each step by itself. */
/// <reference types="@webgpu/types" />
import { toTensor } from '../../src/image/preprocess/to-tensor.ts';
import type { Model } from '../../src/model/open-model.ts';

/** The images into a buffer, until they are there: as tensors, or as the pixels that they are made of. */
export function uploading(
  device: GPUDevice,
  images: readonly (Float32Array | Uint8Array)[],
): () => Promise<void> {
  const bytes = images[0]!.byteLength;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: bytes * images.length, usage });
  return async () => {
    for (const [i, image] of images.entries())
      device.queue.writeBuffer(buffer, i * bytes, image as Uint8Array<ArrayBuffer>);
    await device.queue.onSubmittedWorkDone();
  };
}

/** What the GPU could do instead of the CPU: pixels to tensors. On the CPU a decoding thread does it, beside the others. */
export function makingTensors({ manifest }: Model, count: number): () => Promise<void> {
  const { height, width, layout } = manifest.graph;
  const data = Uint8Array.from({ length: 3 * height * width }, (_, i) => (i * 37) % 256);
  const pixels = { width, height, channels: 3, data } as const;
  return async () => {
    for (let i = 0; i < count; i++) toTensor(pixels, manifest.preprocess, layout);
  };
}

/** So many bytes from the GPU's memory to where the CPU reads them. */
export function readingBack(device: GPUDevice, size: number): () => Promise<void> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const from = device.createBuffer({ size, usage });
  const to = device.createBuffer({
    size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  return async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, to, 0, size);
    device.queue.submit([encoder.finish()]);
    await to.mapAsync(GPUMapMode.READ);
    to.unmap();
  };
}
