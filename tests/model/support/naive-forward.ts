/**
 * ResNet as its paper and Keras's source describe it, in float64, with nothing folded, nothing fused and nothing shared
 * with model/: loops over pixels and channels. What it is asked to do otherwise shows that a comparison notices it.
 */
export interface NaiveConv {
  /** `[rows, columns, in, out]` as Keras stores it. */
  readonly kernel: Float32Array;
  readonly bias?: Float32Array | undefined;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

export interface NaiveNetwork {
  /** Keras's names: `conv1`, `2a_branch2a`, `2a_branch1` … */
  get(name: string): NaiveConv | undefined;
  readonly block: 'basic' | 'bottleneck';
  readonly blocks: readonly number[];
  readonly epsilon: number;
  readonly strideOn: '1x1' | '3x3';
  /** Zeros [before, after] the image in both directions. */
  readonly stemPadding: readonly [number, number];
  readonly poolPadding: readonly [number, number];
  /** Of the 3x3 convolutions. */
  readonly blockPadding: readonly [number, number];
}

/** `[height][width][channels]`, channels fastest. */
interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/** @param input - `[3, height, width]` as the ONNX graph takes it */
export function naiveForward(
  network: NaiveNetwork,
  input: Float32Array,
  height: number,
  width: number,
): Float64Array {
  const conv = (name: string, image: Image, stride: number, padding: readonly [number, number]) => {
    const weights = network.get(name);
    if (!weights) throw new Error(`no layer ${name}`);
    return normalise(convolve(pad(image, padding), weights, stride), weights, network.epsilon);
  };
  let image = relu(conv('conv1', channelsLast(input, height, width), 2, network.stemPadding));
  image = maxPool(pad(image, network.poolPadding), 3, 2);
  for (const [index, count] of network.blocks.entries())
    for (let block = 0; block < count; block++) {
      const name = `${index + 2}${'abcdefghijklmnopqrstuvwxyz'[block]}_branch`;
      const stride = block === 0 && index > 0 ? 2 : 1;
      const none = [0, 0] as const;
      let branch: Image;
      if (network.block === 'basic') {
        branch = relu(conv(`${name}2a`, image, stride, network.blockPadding));
        branch = conv(`${name}2b`, branch, 1, network.blockPadding);
      } else {
        const onFirst = network.strideOn === '1x1';
        branch = relu(conv(`${name}2a`, image, onFirst ? stride : 1, none));
        branch = relu(conv(`${name}2b`, branch, onFirst ? 1 : stride, network.blockPadding));
        branch = conv(`${name}2c`, branch, 1, none);
      }
      const shortcut = network.get(`${name}1`) ? conv(`${name}1`, image, stride, none) : image;
      image = relu(sum(branch, shortcut));
    }
  return averagePool(image);
}

function channelsLast(input: Float32Array, height: number, width: number): Image {
  const data = new Float64Array(input.length);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < height * width; i++) data[i * 3 + c] = input[c * height * width + i]!;
  return { height, width, channels: 3, data };
}

function pad(image: Image, [before, after]: readonly [number, number]): Image {
  const height = image.height + before + after;
  const width = image.width + before + after;
  const data = new Float64Array(height * width * image.channels);
  const row = image.width * image.channels;
  for (let y = 0; y < image.height; y++)
    data.set(
      image.data.subarray(y * row, (y + 1) * row),
      ((y + before) * width + before) * image.channels,
    );
  return { height, width, channels: image.channels, data };
}

function convolve(image: Image, { kernel, bias, gamma }: NaiveConv, stride: number): Image {
  const channels = gamma.length;
  const side = Math.sqrt(kernel.length / (image.channels * channels));
  const height = Math.floor((image.height - side) / stride) + 1;
  const width = Math.floor((image.width - side) / stride) + 1;
  const data = new Float64Array(height * width * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * channels;
      for (let o = 0; o < channels; o++) data[to + o] = bias?.[o] ?? 0;
      for (let ky = 0; ky < side; ky++)
        for (let kx = 0; kx < side; kx++)
          for (let i = 0; i < image.channels; i++) {
            const pixel = (y * stride + ky) * image.width + x * stride + kx;
            const value = image.data[pixel * image.channels + i]!;
            const from = ((ky * side + kx) * image.channels + i) * channels;
            for (let o = 0; o < channels; o++) data[to + o]! += value * kernel[from + o]!;
          }
    }
  return { height, width, channels, data };
}

function normalise(image: Image, weights: NaiveConv, epsilon: number): Image {
  const { gamma, beta, mean, variance } = weights;
  const data = image.data.map((value, at) => {
    const c = at % image.channels;
    return (gamma[c]! * (value - mean[c]!)) / Math.sqrt(variance[c]! + epsilon) + beta[c]!;
  });
  return { ...image, data };
}

function relu(image: Image): Image {
  return { ...image, data: image.data.map((value) => Math.max(0, value)) };
}

function sum(a: Image, b: Image): Image {
  return { ...a, data: a.data.map((value, at) => value + b.data[at]!) };
}

function maxPool(image: Image, side: number, stride: number): Image {
  const height = Math.floor((image.height - side) / stride) + 1;
  const width = Math.floor((image.width - side) / stride) + 1;
  const { channels } = image;
  const data = new Float64Array(height * width * channels).fill(-Infinity);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let ky = 0; ky < side; ky++)
        for (let kx = 0; kx < side; kx++)
          for (let c = 0; c < channels; c++) {
            const from = ((y * stride + ky) * image.width + x * stride + kx) * channels + c;
            const to = (y * width + x) * channels + c;
            data[to] = Math.max(data[to]!, image.data[from]!);
          }
  return { height, width, channels, data };
}

function averagePool({ data, channels, height, width }: Image): Float64Array {
  const mean = new Float64Array(channels);
  for (const [at, value] of data.entries()) mean[at % channels]! += value / (height * width);
  return mean;
}
