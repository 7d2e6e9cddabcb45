/** What a run on the GPU consists of: the session in this very thread, and the copies alone. */
/// <reference types="@webgpu/types" />
import { openSession } from '../../src/inference/onnxruntime/session.ts';
import { openDevice } from '../../src/inference/webgpu/adapter.ts';
import type { Model } from '../../src/model/open-model.ts';
import { type GpuPrecision, samples } from './bare.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './results.ts';
import { timeRuns } from './stopwatch.ts';

/** @throws Error with a sentence: no GPU, or none with half precision */
export async function measureInside(
  model: Model,
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<Row[]> {
  const variant = model.precision as GpuPrecision;
  const gpu = await openDevice({
    adapter: options.adapter,
    allowSoftware: options.allowSoftware,
    needsF16: variant === 'fp16',
  });
  const { graph, dimension } = model.manifest;
  const { input, output, height, width } = graph;
  const session = await openSession(
    { slice: model.slice, input, output, shape: [3, height, width], dimension, threads: 1 },
    gpu,
  );
  const rows: Row[] = [];
  // A share of the time each: there are four figures to a batch.
  const time = (run: () => Promise<unknown>) => timeRuns(run, options.seconds / 4);
  for (const batch of options.batches) {
    const images = samples(model, batch);
    const run = await time(() => session.run(images));
    const upload = await time(uploading(gpu.device, images));
    const readBack = await time(readingBack(gpu.device, batch * dimension * 4));
    const roundTrip = await time(readingBack(gpu.device, 4));
    gpu.assertSound();
    const more = {
      upload: upload.median,
      readBack: readBack.median,
      roundTrip: roundTrip.median,
      network: run.median - upload.median - readBack.median + roundTrip.median,
    };
    rows.push({ part: 'inside', variant, batch, ms: run, more });
    tell(
      `inside ${variant}, batch ${batch}: ${run.median.toFixed(2)} ms, of which upload ${upload.median.toFixed(2)}, read back ${readBack.median.toFixed(2)}, an empty round trip ${roundTrip.median.toFixed(2)}`,
    );
  }
  await session.release();
  gpu.close();
  return rows;
}

/** The images into a buffer, until they are there. */
function uploading(device: GPUDevice, images: readonly Float32Array[]): () => Promise<void> {
  const bytes = images[0]!.byteLength;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: bytes * images.length, usage });
  return async () => {
    for (const [i, image] of images.entries())
      device.queue.writeBuffer(buffer, i * bytes, image as Float32Array<ArrayBuffer>);
    await device.queue.onSubmittedWorkDone();
  };
}

/** So many bytes from the GPU's memory to where the CPU reads them. */
function readingBack(device: GPUDevice, size: number): () => Promise<void> {
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
