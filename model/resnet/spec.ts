/**
 * Residual networks of He et al. 2015 (https://arxiv.org/abs/1512.03385) as data: the published variants differ only in
 * depth, block, where a block strides, batch-norm epsilon and whether convolutions have biases.
 */
export interface ResnetSpec {
  /** Goes into the manifest: `resnet50-keras-v1`, `resnet50-torchvision-v1.5` … */
  readonly architecture: string;
  /** `bottleneck`: 1×1, 3×3, 1×1 with four times the filters at the end; `basic`: two 3×3. */
  readonly block: 'basic' | 'bottleneck';
  /** Blocks in each stage; the stages are numbered from 2, as the paper's conv2_x to conv5_x. */
  readonly blocks: readonly number[];
  /** Filters of the stem's 7×7 convolution. */
  readonly stemFilters: number;
  /** Filters of each stage's inner convolutions, as many as `blocks`. */
  readonly filters: readonly number[];
  /**
   * The convolution that strides in a stage's first bottleneck: the first 1×1 (the paper and Keras, "v1") or the 3×3
   * (torchvision, "v1.5"). A basic block strides in its first 3×3 either way.
   */
  readonly strideOn: '1x1' | '3x3';
  /** Added to the variance by every batch normalisation. */
  readonly epsilon: number;
  /** Whether the convolutions have biases beside their batch normalisation. */
  readonly convBias: boolean;
  /** Pixels. */
  readonly inputSize: { readonly height: number; readonly width: number };
}

const resnet50: Pick<ResnetSpec, 'block' | 'blocks' | 'stemFilters' | 'filters' | 'inputSize'> = {
  block: 'bottleneck',
  blocks: [3, 4, 6, 3],
  stemFilters: 64,
  filters: [64, 128, 256, 512],
  inputSize: { height: 224, width: 224 },
};

/** keras-applications 1.0.8, which the tutorial's operator runs; Keras's BatchNormalization has epsilon 1e-3. */
export const resnet50KerasV1: ResnetSpec = {
  ...resnet50,
  architecture: 'resnet50-keras-v1',
  strideOn: '1x1',
  epsilon: 1e-3,
  convBias: true,
};

/** tf.keras.applications.ResNet50 of TensorFlow 2: the same network, other weights and epsilon. */
export const resnet50Tf2: ResnetSpec = {
  ...resnet50KerasV1,
  architecture: 'resnet50-keras-tf2',
  epsilon: 1.001e-5,
};

/** torchvision.models.resnet50. */
export const resnet50Torchvision: ResnetSpec = {
  ...resnet50,
  architecture: 'resnet50-torchvision-v1.5',
  strideOn: '3x3',
  epsilon: 1e-5,
  convBias: false,
};

export const resnet18Torchvision: ResnetSpec = {
  ...resnet50Torchvision,
  architecture: 'resnet18-torchvision',
  block: 'basic',
  blocks: [2, 2, 2, 2],
};

export const resnet34Torchvision: ResnetSpec = {
  ...resnet18Torchvision,
  architecture: 'resnet34-torchvision',
  blocks: [3, 4, 6, 3],
};

export const resnet101Torchvision: ResnetSpec = {
  ...resnet50Torchvision,
  architecture: 'resnet101-torchvision-v1.5',
  blocks: [3, 4, 23, 3],
};
