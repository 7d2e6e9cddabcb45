/** Small networks, quantised as the command would. */
import { readFileSync } from 'node:fs';
import { toBinary } from '@bufbuild/protobuf';
import { readGraph } from '../../../model/quantize/graph.ts';
import { measureActivations } from '../../../model/quantize/measure-activations.ts';
import { planQuantisation } from '../../../model/quantize/plan.ts';
import { quantiseGraph } from '../../../model/quantize/quantise-graph.ts';
import type { ResnetSpec } from '../../../model/resnet/spec.ts';
import { ModelProtoSchema } from '../../../src/gen/onnx/onnx_pb.ts';
import { openSession } from '../../../src/inference/onnxruntime/session.ts';
import type { SimdModel } from '../../../src/inference/simd/open-network.ts';
import { testImage, tinyResnet, writeModel } from '../../simd/support/models.ts';

/** @returns the float model and the same in int8, calibrated with three images that tests do not use */
export async function quantisedResnet(
  spec: Partial<ResnetSpec>,
): Promise<{ fp32: SimdModel; int8: SimdModel }> {
  const fp32 = tinyResnet(spec);
  const { manifest, slice } = fp32;
  const graph = readGraph(new Uint8Array(readFileSync(slice.path)), slice.path);
  const plan = planQuantisation(graph);
  const images = [101, 102, 103].map((seed) => testImage(manifest.graph, seed));
  const signal = new AbortController().signal;
  const measured = { images, signal, progress: () => {} };
  const statistics = await measureActivations({ graph, manifest, slice }, plan, measured);
  const { model } = quantiseGraph(graph, plan, statistics, 'mse');
  const bytes = toBinary(ModelProtoSchema, model);
  return { fp32, int8: writeModel(bytes, manifest.graph, manifest.dimension) };
}

export async function onOnnxruntime(
  { slice, manifest }: SimdModel,
  images: readonly Float32Array[],
): Promise<Float32Array[]> {
  const { graph, dimension } = manifest;
  const { input, output, height, width } = graph;
  const session = await openSession({
    ...{ slice, input, output, shape: [3, height, width], dimension, threads: 1 },
  });
  const rows: Float32Array[] = [];
  for (const image of images) rows.push((await session.run([image]))[0]!);
  await session.release();
  return rows;
}
