import { expect, test } from 'bun:test';
import { createEmbedder, type EmbedderParts } from '../../src/embedder/create-embedder.ts';
import { decodingThreadsFor } from '../../src/embedder/open.ts';
import { OperatorError } from '../../src/errors.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { openAdmission } from '../support/embedder-options.ts';

/** Parts that need no model: an image's text is its first feature; `bad…` fails to decode, `slow` waits for the abort. */
function parts(over: Partial<EmbedderParts> = {}): EmbedderParts {
  return {
    manifest: { normalise: 'none' } as Manifest,
    available: () => true,
    lost: new Promise(() => {}),
    info: () => ({
      modelId: 'test',
      trained: true,
      precision: 'fp32',
      engine: 'none',
      device: 'none',
      threads: 1,
    }),
    pipeline: {
      prepare: async (image, signal) => {
        if (typeof image === 'string' && image.startsWith('bad'))
          throw new OperatorError('IMAGE_CORRUPT', image);
        if (image === 'slow')
          await new Promise((_, reject) =>
            signal.addEventListener('abort', () =>
              reject(new OperatorError('CANCELLED', 'cancelled')),
            ),
          );
        return { tensor: Float32Array.of(Number(image) || 0, 1), decodeMs: 1, preprocessMs: 2 };
      },
    },
    scheduler: {
      infer: async (tensor) => ({
        features: tensor,
        model: { id: 'test' },
        queueMs: 3,
        inferMs: 4,
      }),
    },
    withFile: (url, _, use) => use(new TextEncoder().encode(url)),
    admission: openAdmission(),
    places: 100,
    close: async () => {},
    ...over,
  };
}
const never = new AbortController().signal;

test('embed, one vector per image, in order', async () => {
  const { vectors, timings } = await createEmbedder(parts()).embed(
    { datas: ['5', '6', '7'], urls: [] },
    never,
  );
  expect(vectors.map((v) => v[0])).toEqual([5, 6, 7]);
  expect(timings).toMatchObject({ decode: 1, preprocess: 2, infer: 4 });
  // Waiting for a place counts as well.
  expect(timings.queue).toBeWithin(3, 100);
});

test('embed, urls are ignored where there are datas', async () => {
  const fetched: string[] = [];
  const embedder = createEmbedder(
    parts({
      withFile: (url, _, use) => {
        fetched.push(url);
        return use(new Uint8Array());
      },
    }),
  );
  const { vectors } = await embedder.embed({ datas: ['5'], urls: ['http://a', 'http://b'] }, never);
  expect(vectors.length).toBe(1);
  expect(fetched).toEqual([]);
  await embedder.embed({ datas: [], urls: ['http://a', 'http://b'] }, never);
  expect(fetched).toEqual(['http://a', 'http://b']);
});

test('embed, an empty request gives no vectors and no error', async () => {
  const result = await createEmbedder(parts()).embed({ datas: [], urls: [] }, never);
  expect(result.vectors).toEqual([]);
});

test('embed, a bad image fails the request, is named, and the others are abandoned', async () => {
  const embedder = createEmbedder(parts());
  const begun = performance.now();
  const failing = embedder.embed({ datas: ['slow', '6', 'bad one', 'slow'], urls: [] }, never);
  await expect(failing).rejects.toMatchObject({
    code: 'IMAGE_CORRUPT',
    item: 2,
    message: 'bad one',
  });
  await failing.catch(() => {});
  // The slow ones might have been bad as well, and are waited for a little.
  expect(performance.now() - begun).toBeLessThan(3000);
  expect(embedder.inFlight).toBe(0);
});

test('embed, every bad image is named, and nothing more is computed', async () => {
  const inferred: number[] = [];
  const gate = Promise.withResolvers<void>();
  const base = parts();
  const embedder = createEmbedder({
    ...base,
    pipeline: {
      ...base.pipeline,
      async prepare(image, signal) {
        // The others are looked at when one has failed already.
        if (image !== 'bad two') await gate.promise;
        else setTimeout(() => gate.resolve(), 5);
        return base.pipeline.prepare(image, signal);
      },
    },
    scheduler: {
      async infer(tensor, signal) {
        if (signal.aborted) throw new OperatorError('CANCELLED', 'cancelled');
        inferred.push(tensor[0] ?? 0);
        return { features: tensor, model: { id: 'test' }, queueMs: 0, inferMs: 0 };
      },
    },
  });
  const datas = ['1', 'bad one', 'bad two', '2', 'bad three'];
  const error = await embedder.embed({ datas, urls: [] }, never).catch((e) => e);
  expect(error).toMatchObject({ code: 'IMAGE_CORRUPT', item: 1, message: 'bad one' });
  expect(error.others).toMatchObject([
    { item: 2, message: 'bad two' },
    { item: 4, message: 'bad three' },
  ]);
  expect(inferred).toEqual([]);
});

test('embed, something unforeseen is INTERNAL and keeps its cause off the message', async () => {
  const embedder = createEmbedder(
    parts({
      scheduler: {
        infer: async () => {
          throw new TypeError('secret path /x');
        },
      },
    }),
  );
  const error = await embedder.embed({ datas: ['1'], urls: [] }, never).catch((e) => e);
  expect(error).toMatchObject({ code: 'INTERNAL', item: 0 });
  expect(error.message).not.toContain('secret');
});

test('embed, something unforeseen ends the look at the others at once', async () => {
  const base = parts();
  const embedder = createEmbedder({
    ...base,
    pipeline: {
      ...base.pipeline,
      prepare: async (image, signal) => {
        if (image === 'odd') throw new TypeError('made up');
        return base.pipeline.prepare(image, signal);
      },
    },
  });
  const embedding = embedder.embed({ datas: ['slow', 'odd'], urls: [] }, never).catch((e) => e);
  expect(await Promise.race([embedding, Bun.sleep(3000)])).toMatchObject({
    code: 'INTERNAL',
    item: 1,
  });
});

test('embed, vectors are normalised where the manifest says so', async () => {
  const manifest = { normalise: 'l2' } as Manifest;
  const { vectors } = await createEmbedder(parts({ manifest })).embed(
    { datas: ['7'], urls: [] },
    never,
  );
  expect([...vectors[0]!]).toEqual([...Float32Array.of(7 / Math.sqrt(50), 1 / Math.sqrt(50))]);
});

test('embed, tells the model that made the vectors, which may have been replaced by then', async () => {
  const scheduler: EmbedderParts['scheduler'] = {
    infer: async (tensor) => ({
      features: tensor,
      model: { id: tensor[0] === 1 ? 'fp16' : 'fp32' },
      queueMs: 0,
      inferMs: 0,
    }),
  };
  const embedder = createEmbedder(parts({ scheduler }));
  for (const [image, modelId] of Object.entries({ 1: 'fp16', 2: 'fp32' }))
    expect(await embedder.embed({ datas: [image], urls: [] }, never)).toMatchObject({ modelId });
  await expect(embedder.embed({ datas: ['2', '1'], urls: [] }, never)).rejects.toMatchObject({
    code: 'NOT_READY',
    message: 'the model fp32 was replaced by fp16 while it ran on these images; ask again',
  });
});

test('embed, what are no numbers or nothing but zeros is no vector, normalised or not', async () => {
  for (const normalise of ['none', 'l2'] as const)
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0]) {
      const features = Float32Array.of(0, value);
      const scheduler: EmbedderParts['scheduler'] = {
        infer: async () => ({ features, model: { id: 'test' }, queueMs: 0, inferMs: 0 }),
      };
      const manifest = { normalise } as Manifest;
      const embedder = createEmbedder(parts({ manifest, scheduler }));
      await expect(embedder.embed({ datas: ['1'], urls: [] }, never)).rejects.toMatchObject({
        code: 'INFERENCE_FAILED',
      });
    }
});

test('embed, an image that is done gives back its place and what it held, also a bad one', async () => {
  const admission = openAdmission();
  const held: number[] = [];
  const embedder = createEmbedder(
    parts({
      admission,
      places: 1,
      scheduler: {
        infer: async (tensor) => {
          held.push(admission.held.images);
          return { features: tensor, model: { id: 'test' }, queueMs: 0, inferMs: 0 };
        },
      },
    }),
  );
  await embedder.embed({ datas: ['1', '2', '3'], urls: [] }, never);
  expect(held).toEqual([3, 2, 1]);
  const nothing = { bytes: 0, images: 0, urls: 0, pixels: 0 };
  expect(admission.held).toEqual(nothing);
  await embedder.embed({ datas: ['bad', '2'], urls: [] }, never).catch(() => {});
  expect(admission.held).toEqual(nothing);
});

test('embed, URLs are counted as long as they are fetched', async () => {
  const admission = openAdmission({ maxQueue: 2 });
  const fetching = Promise.withResolvers<void>();
  const embedder = createEmbedder(
    parts({
      admission,
      withFile: async (_, __, use) => {
        await fetching.promise;
        return use(new Uint8Array());
      },
    }),
  );
  const request = { datas: [], urls: ['http://a', 'http://b'] };
  const first = embedder.embed(request, never);
  expect(admission.held.urls).toBe(2);
  await expect(embedder.embed(request, never)).rejects.toMatchObject({ code: 'OVERLOADED' });
  fetching.resolve();
  await first;
  expect(admission.held.urls).toBe(0);
});

test('embed, a request that is refused holds nothing', async () => {
  const admission = openAdmission({ maxImages: 2 });
  const embedder = createEmbedder(parts({ admission }));
  await expect(embedder.embed({ datas: ['1', '2', '3'], urls: [] }, never)).rejects.toMatchObject({
    code: 'TOO_MANY_IMAGES',
  });
  expect(admission.held.bytes).toBe(0);
});

test('a lost engine, new requests are refused and the state says so', async () => {
  const lost = Promise.withResolvers<Error>();
  let available = true;
  const embedder = createEmbedder(parts({ lost: lost.promise, available: () => available }));
  expect(embedder.state).toBe('ready');
  available = false;
  expect(embedder.state).toBe('recovering');
  lost.resolve(new Error('no engine is left'));
  expect(await embedder.lost).toMatchObject({ message: 'no engine is left' });
  expect(embedder.state).toBe('failed');
  await expect(embedder.embed({ datas: ['1'], urls: [] }, never)).rejects.toMatchObject({
    code: 'NOT_READY',
  });
});

test('decoding threads, as many as compute and 16 at most', () => {
  expect([1, 2, 16, 64].map(decodingThreadsFor)).toEqual([1, 2, 16, 16]);
});
