/**
 * An embedder without a network behind it: vectors follow from the text of an item, and items can ask to be slow or to
 * fail. `FAKE_…` words are for the server's own tests; anything else is an image that takes `msPerImage`.
 */
import { createHash } from 'node:crypto';
import type { Embedder, EmbedderState } from '../../src/embedder/embedder.ts';
import { type ErrorCode, errorCatalogue, OperatorError } from '../../src/errors.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { openAdmission, textOf } from './embedder-options.ts';

export interface FakeOptions {
  readonly limits?: Parameters<typeof openAdmission>[0];
  readonly dimension?: number;
  /** @default 0 */
  readonly msPerImage?: number;
}

export interface FakeEmbedder extends Embedder {
  state: EmbedderState;
  /** How many calls were given up by their signal. */
  readonly aborted: number;
  readonly closed: boolean;
}

const sha = '0'.repeat(64);
const fakeModelId = `resnet50_encoder-fp32-${sha.slice(0, 16)}`;

export const fakeManifest = (dimension: number): Manifest => ({
  format: 1,
  name: 'resnet50_encoder',
  type: 'encoder',
  input: 'image',
  output: 'vector',
  dimension,
  metricType: 'L2',
  architecture: 'fake',
  trained: false,
  source: { description: 'made up for tests', licence: 'none' },
  graph: { input: 'input', output: 'output', layout: 'NCHW', height: 224, width: 224 },
  preprocess: {
    resize: { mode: 'stretch', width: 224, height: 224, filter: 'nearest' },
    channels: 'BGR',
    scale: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
  normalise: 'l2',
  variants: { fp32: { file: 'fake.onnx', bytes: 1, sha256: sha } },
});

/** The same text gives the same vector, of length 1. */
export function fakeVector(text: string, dimension: number): Float32Array {
  const bytes = createHash('shake256', { outputLength: dimension }).update(text).digest();
  const norm = Math.hypot(...bytes) || 1;
  return Float32Array.from(bytes, (byte) => byte / norm);
}

/** `FAKE_DELAY:500`, `FAKE_FAIL:IMAGE_TRUNCATED`, `FAKE_CRASH`, `FAKE_STRAY` (an error outside the call), `FAKE_SHORT` (one vector too few). */
export function createFakeEmbedder({
  dimension = 2048,
  msPerImage = 0,
  limits = {},
}: FakeOptions = {}): FakeEmbedder {
  let inFlight = 0;
  let aborted = 0;
  let closed = false;

  async function one(text: string, item: number, signal: AbortSignal): Promise<Float32Array> {
    const [word, value = ''] = text.split(':');
    const ms = word === 'FAKE_DELAY' ? Number(value) : msPerImage;
    if (ms > 0) await sleep(ms, signal);
    if (word === 'FAKE_CRASH') throw new TypeError('made up');
    if (word === 'FAKE_STRAY')
      setTimeout(() => {
        throw new TypeError('astray');
      });
    if (word === 'FAKE_FAIL' && value in errorCatalogue)
      throw new OperatorError(value as ErrorCode, `made up: ${value}`, {
        item,
        cause: new Error('what was found'),
      });
    return fakeVector(text, dimension);
  }

  return {
    state: 'ready',
    admission: openAdmission(limits),
    manifest: fakeManifest(dimension),
    info: {
      modelId: fakeModelId,
      trained: false,
      precision: 'fp32',
      engine: 'fake',
      device: 'wasm',
      threads: 1,
    },
    get inFlight() {
      return inFlight;
    },
    get aborted() {
      return aborted;
    },
    get closed() {
      return closed;
    },
    async embed({ datas, urls }, signal) {
      const items = (datas.length > 0 ? datas : urls).map(textOf);
      const vectors: Float32Array[] = [];
      inFlight++;
      try {
        const errors: OperatorError[] = [];
        for (const [i, text] of items.entries())
          try {
            vectors.push(await one(text, i, signal));
          } catch (thrown) {
            if (!(thrown instanceof OperatorError) || signal.aborted) throw thrown;
            errors.push(thrown);
          }
        const [first, ...others] = errors;
        if (first) {
          const { code, message, item, cause } = first;
          throw new OperatorError(code, message, { item, cause, others });
        }
      } catch (error) {
        if (signal.aborted) aborted++;
        throw error;
      } finally {
        inFlight--;
      }
      if (items.includes('FAKE_SHORT')) vectors.pop();
      return {
        vectors,
        modelId: fakeModelId,
        timings: { source: 0, decode: 1.25, preprocess: 0.5, queue: 2, infer: 3 },
      };
    },
    lost: new Promise(() => {}),
    async close() {
      closed = true;
    },
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new OperatorError('CANCELLED', 'cancelled'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
