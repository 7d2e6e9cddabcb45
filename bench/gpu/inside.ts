/** What a run on the GPU consists of: the session in this very thread, and the copies alone. */
/// <reference types="@webgpu/types" />
import { toTensor } from '../../src/image/preprocess/to-tensor.ts';
import { openSession, type Session } from '../../src/inference/onnxruntime/session.ts';
import { openDevice } from '../../src/inference/webgpu/adapter.ts';
import type { Model } from '../../src/model/open-model.ts';
import { type GpuPrecision, samples } from './bare.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './results.ts';
import { timeInTurn, timeParts, timeRuns } from './stopwatch.ts';

/** Figures of a batch, which share the time. */
const figures = 9;

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
  const shape = [3, height, width] as const;
  const about = { slice: model.slice, input, output, shape, dimension, threads: 1 };
  const session = await openSession(about, gpu);
  const replaying = options.batches.includes(1)
    ? await openSession({ ...about, capture: true }, gpu)
    : undefined;
  const rows: Row[] = [];
  const time = (run: () => Promise<unknown>) => timeRuns(run, options.seconds / figures);
  // The runtime goes on compiling onnxruntime's code for a second and a half.
  const [image] = samples(model, 1);
  await timeRuns(async () => {
    await session.run([image!]);
    await replaying?.run([image!]);
  }, 2);
  for (const batch of options.batches) {
    const images = samples(model, batch);
    const sessions = batch === 1 ? [session, replaying!] : [session];
    const share = (sessions.length * options.seconds) / figures;
    const [run, replayed] = await timeInTurn(
      sessions.map((each) => () => each.run(images)),
      share,
    );
    const [issued, issuedReplay] = await timeParts(
      sessions.map((each) => issuing(each, images)),
      share,
    );
    const upload = await time(uploading(gpu.device, images));
    const pixels = images.map(({ length }) => new Uint8Array(length));
    const uploadOfPixels = await time(uploading(gpu.device, pixels));
    const tensors = await time(makingTensors(model, batch));
    const readBack = await time(readingBack(gpu.device, batch * dimension * 4));
    const roundTrip = await time(readingBack(gpu.device, 4));
    gpu.assertSound();
    const more = {
      issued: issued!.median,
      ...(replayed && { replayed: replayed.median, issuedReplay: issuedReplay!.median }),
      upload: upload.median,
      uploadOfPixels: uploadOfPixels.median,
      tensors: tensors.median,
      readBack: readBack.median,
      roundTrip: roundTrip.median,
      network: run!.median - upload.median - readBack.median + roundTrip.median,
    };
    rows.push({ part: 'inside', variant, batch, ms: run!, more });
    tell(
      `inside ${variant}, batch ${batch}: ${run!.median.toFixed(2)} ms, handed over after ${issued!.median.toFixed(2)},${replayed ? ` ${replayed.median.toFixed(2)} and ${issuedReplay!.median.toFixed(2)} replayed by graph capture,` : ''} of which upload ${upload.median.toFixed(2)}, read back ${readBack.median.toFixed(2)}, an empty round trip ${roundTrip.median.toFixed(2)}`,
    );
  }
  await session.release();
  await replaying?.release();
  gpu.close();
  return rows;
}

/** Until the commands are handed over, not until they have been carried out. */
function issuing(session: Session, images: readonly Float32Array[]): () => Promise<number> {
  return async () => {
    const begun = performance.now();
    const { rows } = await session.issue(images);
    const ms = performance.now() - begun;
    await rows;
    return ms;
  };
}

/** The images into a buffer, until they are there: as tensors, or as the pixels that they are made of. */
function uploading(
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
function makingTensors({ manifest }: Model, count: number): () => Promise<void> {
  const { height, width, layout } = manifest.graph;
  const data = Uint8Array.from({ length: 3 * height * width }, (_, i) => (i * 37) % 256);
  const pixels = { width, height, channels: 3, data } as const;
  return async () => {
    for (let i = 0; i < count; i++) toTensor(pixels, manifest.preprocess, layout);
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
