/**
 * An embedder without a network: its vectors come from a picture's colours and edges, so that pictures that look alike get
 * vectors that are alike. It reads PNG only.
 */
import { decodePng } from 'image-js';
import type { Embedder } from '../../../src/embedder/embedder.ts';
import { OperatorError } from '../../../src/errors.ts';
import type { Manifest } from '../../../src/model/manifest.ts';
import { openAdmission, textOf } from '../../support/embedder-options.ts';

const dimension = 2048;
const grid = 24;
const bins = 4;
const featureCount = bins ** 3 + 8;

export interface PictureEmbedderOptions {
  readonly trained?: boolean;
  /** Milliseconds that each picture takes at least. */
  readonly delay?: () => number;
}

export function createPictureEmbedder(options: PictureEmbedderOptions = {}): Embedder {
  const { trained = true, delay = () => 0 } = options;
  let inFlight = 0;
  const manifest = {
    name: 'resnet50_encoder',
    type: 'encoder',
    input: 'image',
    output: 'vector',
    dimension,
    metricType: 'L2',
  } as Manifest;
  return {
    manifest,
    info: {
      modelId: 'resnet50_encoder-fp32-5f1d3c7a90b2e846',
      trained,
      precision: 'fp32',
      engine: 'simd',
      device: 'wasm',
      threads: 2,
    },
    state: 'ready',
    admission: openAdmission(),
    get inFlight() {
      return inFlight;
    },
    async embed({ datas }) {
      inFlight++;
      try {
        await Bun.sleep(delay());
        const begun = performance.now();
        const pictures = datas.map((data, item) => decode(textOf(data), item));
        const decoded = performance.now();
        const vectors = pictures.map((picture) => project(featuresOf(picture)));
        const decodeMs = decoded - begun;
        const infer = performance.now() - decoded;
        return {
          vectors,
          modelId: 'pictures',
          timings: { source: 0.4, decode: decodeMs, preprocess: 1.2, queue: 0.1, infer },
        };
      } finally {
        inFlight--;
      }
    },
    lost: new Promise(() => {}),
    close: () => Promise.resolve(),
  };
}

type Picture = ReturnType<typeof decodePng>;

function decode(data: string, item: number): Picture {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  if (bytes.length === 0)
    throw new OperatorError('IMAGE_EMPTY', 'the item holds no data', { item });
  try {
    return decodePng(bytes);
  } catch (cause) {
    const code = bytes[0] === 0x89 ? 'IMAGE_CORRUPT' : 'IMAGE_UNKNOWN_FORMAT';
    throw new OperatorError(code, 'the bytes are not a PNG file', { item, cause });
  }
}

function featuresOf(picture: Picture): Float32Array {
  const features = new Float32Array(featureCount);
  const at = (column: number, row: number): number[] =>
    picture.getPixel(
      Math.floor(((column + 0.5) * picture.width) / grid),
      Math.floor(((row + 0.5) * picture.height) / grid),
    );
  for (let row = 0; row < grid; row++)
    for (let column = 0; column < grid; column++) {
      const [r = 0, g = 0, b = 0] = at(column, row);
      const bin = [r, g, b].reduce((sum, value) => sum * bins + (value >> 6), 0);
      features[bin] = (features[bin] ?? 0) + 1;
      const [right = 0] = at(Math.min(grid - 1, column + 1), row);
      const [below = 0] = at(column, Math.min(grid - 1, row + 1));
      const angle = Math.atan2(below - r, right - r) + Math.PI;
      const edge = bins ** 3 + Math.min(7, Math.floor((angle / Math.PI) * 4));
      features[edge] = (features[edge] ?? 0) + Math.hypot(below - r, right - r) / 64;
    }
  return features.map(Math.sqrt);
}

/** A seeded random projection, cut off at 0 and brought to length 1. */
function project(features: Float32Array): Float32Array {
  const vector = new Float32Array(dimension);
  let state = 20_200_401;
  for (let i = 0; i < dimension; i++) {
    let sum = 0;
    for (const feature of features) {
      state = (state * 48_271) % 2_147_483_647;
      sum += feature * (state / 1_073_741_824 - 1);
    }
    vector[i] = Math.max(0, sum);
  }
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => value / norm);
}
