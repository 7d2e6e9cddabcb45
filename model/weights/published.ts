/** Weight files that are known by their checksum. */
import type { ExpectedFile } from '../download/cached-download.ts';

/** The file that Keras 2.3.1 fetches for the tutorial's operator; MD5 as keras-applications 1.0.8 pins it. */
export const defaultRelease = {
  url: 'https://github.com/fchollet/deep-learning-models/releases/download/v0.2/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5',
  bytes: 94_653_016,
  md5: 'a268eb855778b3df3c7506639542a6af',
} as const satisfies ExpectedFile & { url: string };

export interface PublishedWeights {
  readonly description: string;
  readonly licence: string;
}

const published: Readonly<Record<string, PublishedWeights>> = {
  [defaultRelease.md5]: {
    description: 'ResNet50 of keras-applications (fchollet/deep-learning-models v0.2)',
    licence: 'MIT (ported by François Chollet from the weights of Kaiming He, released under MIT)',
  },
  '4d473c1dd8becc155b73f8504c6f6626': {
    description: 'ResNet50 of tf.keras.applications (TensorFlow 2)',
    licence: 'Apache-2.0 (keras-applications; see the publisher)',
  },
};

export function findPublished(md5: string): PublishedWeights | undefined {
  return published[md5];
}
