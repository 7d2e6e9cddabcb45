/**
 * What a whole saved Keras model says of its layers beside their weights. The network is built by its recipe; a model that
 * was built otherwise has the same layers and the same shapes, and would give wrong vectors without a word.
 */
import * as v from 'valibot';
import { ModelError } from '../errors.ts';
import { type ConvLayer, convLayers, layOut } from '../resnet/layers.ts';
import type { ResnetSpec } from '../resnet/spec.ts';
import type { KerasFile } from './hdf5.ts';

/** A layer as `model.get_config()` has it; a Keras 1 convolution calls its strides "subsample". */
const layerSchema = v.object({
  class_name: v.string(),
  config: v.object({
    name: v.string(),
    epsilon: v.optional(v.number()),
    strides: v.optional(v.array(v.number())),
    subsample: v.optional(v.array(v.number())),
  }),
});
type LayerConfig = v.InferOutput<typeof layerSchema>['config'];

/** Python writes 0.001 as 0.001, and a float32 of it as 0.0010000000474974513. */
const sameNumber = (a: number, b: number): boolean => Math.fround(a) === Math.fround(b);

/** @throws ModelError naming the layer that is not the network's, where the file says anything of its layers */
export function assertConfig(
  file: KerasFile,
  spec: ResnetSpec,
  layerNames: (layer: ConvLayer) => { readonly conv: string; readonly norm: string },
): void {
  if (file.config === undefined) return;
  const configs = new Map<string, LayerConfig>();
  collect(file.config, configs);
  const refuse = (layer: string, what: string, is: number, expected: number): never => {
    throw new ModelError(
      `${file.path}: layer ${layer}: its model_config says ${what} ${is}, but ${spec.architecture} has ${expected}: another network`,
    );
  };
  for (const layer of convLayers(layOut(spec))) {
    const { conv, norm } = layerNames(layer);
    const { epsilon = spec.epsilon } = configs.get(norm) ?? {};
    if (!sameNumber(epsilon, spec.epsilon)) refuse(norm, 'epsilon', epsilon, spec.epsilon);
    const { strides, subsample } = configs.get(conv) ?? {};
    for (const stride of strides ?? subsample ?? [])
      if (stride !== layer.stride) refuse(conv, 'stride', stride, layer.stride);
  }
}

/** A model within a model is four deeper; what lies deeper than people build is not followed. */
const deepest = 40;

/** Layers by name, also those of a model within the model. */
function collect(value: unknown, found: Map<string, LayerConfig>, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > deepest) return;
  const layer = v.safeParse(layerSchema, value);
  if (layer.success) found.set(layer.output.config.name, layer.output.config);
  for (const part of Object.values(value)) collect(part, found, depth + 1);
}
