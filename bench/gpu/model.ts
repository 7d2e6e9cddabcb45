/** The networks that are measured: untrained, since only the time matters, in float32 and in half precision. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { addVariant } from '../../model/add-variant.ts';
import { convertGraph } from '../../model/convert/convert-graph.ts';
import { readGraph } from '../../model/quantize/graph.ts';
import { kerasV1Recipe, type Recipe } from '../../model/recipes.ts';
import { untrainedWeights } from '../../model/weights/untrained.ts';
import { writeModel } from '../../model/write-model.ts';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';

/** A ResNet of few channels on 64×64 pictures. */
const smallRecipe: Recipe = {
  ...kerasV1Recipe,
  name: 'small_encoder',
  spec: {
    ...kerasV1Recipe.spec,
    architecture: 'small-bench-network',
    blocks: [1, 1],
    stemFilters: 16,
    filters: [16, 32],
    inputSize: { height: 64, width: 64 },
  },
  preprocess: {
    ...kerasV1Recipe.preprocess,
    resize: { mode: 'stretch', width: 64, height: 64, filter: 'nearest' },
  },
};

/** ResNet50's operators with a sixteenth of its channels on 32×32 pictures: the GPU has next to nothing to do. */
const deepRecipe: Recipe = {
  ...kerasV1Recipe,
  name: 'deep_encoder',
  spec: {
    ...kerasV1Recipe.spec,
    architecture: 'deep-bench-network',
    stemFilters: 4,
    filters: [4, 8, 16, 32],
    inputSize: { height: 32, width: 32 },
  },
  preprocess: {
    ...kerasV1Recipe.preprocess,
    resize: { mode: 'stretch', width: 32, height: 32, filter: 'nearest' },
  },
};

export const recipes = { resnet50: kerasV1Recipe, small: smallRecipe, deep: deepRecipe };

/** @returns path of the ONNX file; its manifest lists an fp16 variant as well */
export async function untrainedModel(size: keyof typeof recipes, folder: string): Promise<string> {
  const recipe = recipes[size];
  const { onnxPath, manifest } = await writeModel(
    {
      recipe,
      read: untrainedWeights(recipe.spec),
      trained: false,
      source: { description: 'untrained, for measuring', licence: 'none needed: made by code' },
    },
    { out: folder },
  );
  const half = convertGraph(readGraph(readFileSync(onnxPath), onnxPath));
  await addVariant({
    model: onnxPath,
    manifest,
    precision: 'fp16',
    bytes: toBinary(ModelProtoSchema, half.model),
    notes: { weights: half.weights },
  });
  return join(folder, 'resnet50.onnx');
}
