/** Runs the fp32 graph over the calibration images and collects what its tensors look like. */
import { freeBuffer } from '../../src/free-buffer.ts';
import { buildNetwork } from '../../src/inference/simd/network/build-network.ts';
import { pixels } from '../../src/inference/simd/network/network.ts';
import { openSliceReader } from '../../src/inference/simd/onnx/slice-reader.ts';
import { readStoredModel } from '../../src/inference/simd/onnx/stored-model.ts';
import type { FileSlice } from '../../src/model/file-slice.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import type { Graph } from './graph.ts';
import { openRunner } from './onnx-runner.ts';
import type { QuantisationPlan } from './plan.ts';
import { collectExtremes, collectStatistics, type Statistics } from './statistics.ts';
import { splitTaps, type Tap, tapModel } from './taps.ts';

export interface FloatModel {
  readonly graph: Graph;
  readonly manifest: Pick<Manifest, 'graph'>;
  readonly slice: FileSlice;
}

export interface MeasureOptions {
  readonly images: readonly Float32Array[];
  readonly signal: AbortSignal;
  /** Called after each run of the network, of which there are two per image. */
  readonly progress: (runs: number) => void;
}

/** @returns statistics by tensor name, of all activations and of all that quantised convolutions read */
export async function measureActivations(
  model: FloatModel,
  plan: QuantisationPlan,
  { images, signal, progress }: MeasureOptions,
): Promise<ReadonlyMap<string, Statistics>> {
  const { graph, manifest } = model;
  const shapes = tensorShapes(model);
  const names = new Set([
    ...plan.activations.map(({ name }) => name),
    ...plan.convs.map(({ input }) => input),
  ]);
  const taps = [...names].map((name): Tap => ({ name, ...shapes.get(name)! }));
  const tapped = tapModel(graph, taps);
  const runner = await openRunner(tapped.model, { ...manifest.graph, ...tapped });
  let runs = 0;
  const eachImage = async (visit: (values: readonly Float32Array[]) => void): Promise<void> => {
    for (const image of images) {
      signal.throwIfAborted();
      const values = await runner.run(image);
      visit(splitTaps(taps, values));
      // A run leaves twice the taps' memory behind, 135 MB for a ResNet50, which the collector does not hurry to look for.
      freeBuffer(values.buffer as ArrayBuffer);
      Bun.gc(true);
      progress(++runs);
    }
  };
  try {
    const extremes = collectExtremes(taps);
    await eachImage(extremes.add);
    const collector = collectStatistics(taps, extremes);
    await eachImage(collector.add);
    const statistics = collector.finish();
    return new Map(taps.map(({ name }, i) => [name, statistics[i]!]));
  } finally {
    await runner.release();
  }
}

/** Shapes of the graph's inner tensors by name. */
function tensorShapes({ manifest, slice }: FloatModel): Map<string, Omit<Tap, 'name'>> {
  const { input, output, layout, height, width } = manifest.graph;
  const reader = openSliceReader(slice);
  try {
    const inputShape = { channels: 3, height, width };
    const ends = { input, output, layout, inputShape };
    const { layers } = buildNetwork(readStoredModel(reader), reader, ends);
    return new Map(
      layers.map(({ output: { name, shape } }) => [
        name,
        { channels: shape.channels, pixels: pixels(shape) },
      ]),
    );
  } finally {
    reader.close();
  }
}
