/** The networks that weights are known for: the graph, the preprocessing they were trained with, and the names. */
import type { PreprocessRules } from '../src/model/manifest.ts';
import {
  type ResnetSpec,
  resnet50KerasV1,
  resnet50Tf2,
  resnet50Torchvision,
} from './resnet/spec.ts';

export interface Recipe {
  readonly spec: ResnetSpec;
  /** What Identity answers; different networks never share it, since their vectors do not compare. */
  readonly name: string;
  readonly preprocess: PreprocessRules;
}

/**
 * The tutorial's own: nearest-neighbour to 224x224 whatever the aspect ratio, then Keras's "caffe" mode, which swaps to
 * BGR, subtracts ImageNet's mean and does not scale.
 */
const kerasPreprocess: PreprocessRules = {
  resize: { mode: 'stretch', width: 224, height: 224, filter: 'nearest' },
  channels: 'BGR',
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** torchvision's evaluation transform, `ResNet50_Weights.IMAGENET1K_V1.transforms()`. */
const torchvisionPreprocess: PreprocessRules = {
  resize: { mode: 'shorter-side', size: 256, filter: 'bilinear' },
  crop: { width: 224, height: 224 },
  channels: 'RGB',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

export const kerasV1Recipe: Recipe = {
  spec: resnet50KerasV1,
  name: 'resnet50_encoder',
  preprocess: kerasPreprocess,
};

export const kerasTf2Recipe: Recipe = {
  spec: resnet50Tf2,
  name: 'resnet50_tf2_encoder',
  preprocess: kerasPreprocess,
};

export const torchvisionRecipe: Recipe = {
  spec: resnet50Torchvision,
  name: 'resnet50_torchvision_encoder',
  preprocess: torchvisionPreprocess,
};
