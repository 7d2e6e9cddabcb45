/** What is measured of half precision on a CPU: the rounding of weights and of what is stored, and what does not fit. */
import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { convertModel } from '../../model/convert/convert-model.ts';
import { measureHalf } from '../../model/convert/measure-half.ts';
import { roundedGraph } from '../../model/convert/rounded-graph.ts';
import { ModelError } from '../../model/errors.ts';
import { embed } from '../../model/quantize/compare.ts';
import { type Graph, readGraph } from '../../model/quantize/graph.ts';
import type { ConvLayer } from '../../model/resnet/layers.ts';
import type { ConvWeights } from '../../model/resnet/weights.ts';
import type { NodeProto } from '../../src/gen/onnx/onnx_pb.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { float32Tensor, graphOf, modelBytes, node } from '../simd/support/models.ts';
import { changedSmallModel, manifestBeside, onlyZeros } from '../support/changed-model.ts';
import { smallTestModel } from '../support/models.ts';

const { signal } = new AbortController();

/** A picture of one pixel through one 1×1 convolution, `nodes`, and the pool, which changes nothing. */
function onePixel(weights: number[], nodes: NodeProto[], last: string): Graph {
  const channels = weights.length / 3;
  const graph = graphOf(
    { height: 1, width: 1 },
    {
      node: [
        node('Conv', ['input', 'w'], 'conv'),
        ...nodes,
        node('GlobalAveragePool', [last], 'pool'),
        node('Flatten', ['pool'], 'features', { axis: 1 }),
      ],
      initializer: [float32Tensor('w', [channels, 3, 1, 1], Float32Array.from(weights))],
    },
  );
  return readGraph(modelBytes(graph), 'test');
}
const oneManifest = (dimension: number): Manifest => ({
  ...manifestBeside(smallTestModel()),
  dimension,
  graph: { input: 'input', output: 'features', layout: 'NCHW', height: 1, width: 1 },
});

describe('roundedGraph', () => {
  const relu = [node('Relu', ['conv'], 'relu')];
  // Half precision has 11 digits of two: from 2048 on even numbers only. Ties go to even.
  const cases: Record<string, [Graph, number[], number[]]> = {
    'the image': [onePixel([1, 0, 0, 0, 1, 0], relu, 'relu'), [2049, 2051, 7], [2048, 2052]],
    weights: [onePixel([1 + 2 ** -11, 1 + 3 * 2 ** -11, 0], relu, 'relu'), [1, 0, 0], [1]],
    'what a convolution gives': [onePixel([1, 1, 0], relu, 'relu'), [2048, 1, 0], [2048]],
    'no sum on the way': [onePixel([1, 1, 1], relu, 'relu'), [2048, 1, 1], [2050]],
    'what an addition gives': [
      onePixel([1, 2, 0], [node('Add', ['conv', 'input'], 'sum')], 'sum'),
      [1, 1023, 2000],
      // The convolution gives 2047 for each channel; the last sum is 4047.
      [2048, 3070, 4048],
    ],
  };
  for (const [what, [graph, image, expected]] of Object.entries(cases))
    test(`roundedGraph, rounds ${what}`, async () => {
      const images = [Float32Array.from(image)];
      const [row] = await embed(roundedGraph(graph), oneManifest(expected.length), images, signal);
      expect(Array.from(row!)).toEqual(expected);
    });
});

const stemTimes =
  (factor: number) =>
  (weights: ConvWeights, { id }: ConvLayer): ConvWeights =>
    id === 'stem' ? { ...weights, gamma: weights.gamma.map((value) => factor * value) } : weights;

async function convert(model: string) {
  const lines: string[] = [];
  const tell = (line: string): void => void lines.push(line);
  await convertModel({ model, images: undefined, count: 2, tell, signal });
  return { lines, notes: manifestBeside(model).variants.fp16?.notes };
}

describe('measureHalf', () => {
  test('measureHalf, the largest value is that of the tensor that has it, whatever its sign', async () => {
    const graph = onePixel([-3, 0, 0, 0, 1, 0], [node('Add', ['conv', 'conv'], 'sum')], 'sum');
    const images = [
      [10, 1, 1],
      [100, 1, 1],
      [1, 1, 1],
    ].map((image) => Float32Array.from(image));
    const { largest } = await measureHalf(graph, oneManifest(2), images, signal);
    expect(largest).toEqual({ tensor: 'sum', value: 600 });
  });

  test('measureHalf, a tensor that only a ReLU reads may be as negative as it likes', async () => {
    const relu = [node('Relu', ['conv'], 'relu')];
    const graph = onePixel([-3, 0, 0, 0, 1, 0], relu, 'relu');
    const images = [Float32Array.of(50_000, 7, 0)];
    const { largest, drift } = await measureHalf(graph, oneManifest(2), images, signal);
    expect(largest).toEqual({ tensor: 'input', value: 50_000 });
    expect(drift.minCosine).toBe(1);
    const failure = measureHalf(onePixel([3, 0, 0], relu, 'relu'), oneManifest(1), images, signal);
    await expect(failure).rejects.toThrow(
      'the values of relu reach 1.500e+5, and half precision ends at 65504',
    );
    await expect(failure).rejects.toBeInstanceOf(ModelError);
  });
});

test('convertModel, more than half precision holds: which layer, and nothing is changed', async () => {
  const model = changedSmallModel(stemTimes(3000));
  await expect(convert(model)).rejects.toThrow(
    /^the values of stem\.relu reach [\d.]+e\+\d, and half precision ends at 65504: this model cannot/,
  );
  expect(readdirSync(dirname(model)).sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
  expect(manifestBeside(model).variants.fp16).toBeUndefined();
});

test('convertModel, not far from the end of half precision: a warning', async () => {
  const quiet = await convert(changedSmallModel(stemTimes(1)));
  expect(quiet.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
  const largest = quiet.notes?.largestActivation as number;
  expect(largest).toBeWithin(100, 65504 / 4);
  expect(quiet.lines[2]).toContain(`${largest.toPrecision(4)} (`);
  expect(quiet.notes?.drift).toContain('sums in float32');
  const loud = await convert(changedSmallModel(stemTimes(40_000 / largest)));
  expect(loud.lines.filter((line) => line.startsWith('warning'))).toEqual([
    expect.stringMatching(/^warning: \S+ reaches \S+: on other pictures, or in the sums of a GPU/),
  ]);
});

test('convertModel, vectors that are zero: a sentence', async () => {
  const model = changedSmallModel(onlyZeros);
  const failure = convert(model);
  await expect(failure).rejects.toThrow(
    'the vector of the fp32 model for picture 1 is zero throughout: it cannot be compared',
  );
  await expect(failure).rejects.toBeInstanceOf(ModelError);
  expect(manifestBeside(model).variants.fp16).toBeUndefined();
});
