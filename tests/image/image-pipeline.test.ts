import { afterEach, describe, expect, test } from 'bun:test';
import { Worker } from 'node:worker_threads';
import { encodePng, Image } from 'image-js';
import { createImagePipeline, type PipelineSeams } from '../../src/image/image-pipeline.ts';
import type { ImageLimits, ImagePipeline, ImagePipelineOptions } from '../../src/image/pipeline.ts';
import { resizeAndCrop } from '../../src/image/preprocess/resize.ts';
import { toTensor } from '../../src/image/preprocess/to-tensor.ts';
import type { PreprocessRules } from '../../src/model/manifest.ts';
import { textureJpeg, texturePng } from '../support/pictures.ts';
import { decode, expectFailure, failure, kerasRules, limits, torchvisionRules } from './support.ts';

const open: ImagePipeline[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pipeline) => pipeline.close()));
});

function pipelineOf(
  options: Partial<ImagePipelineOptions> = {},
  seams?: PipelineSeams,
): ImagePipeline {
  const pipeline = createImagePipeline(
    { rules: kerasRules, layout: 'NCHW', limits, threads: 1, ...options },
    seams,
  );
  open.push(pipeline);
  return pipeline;
}

const never = new AbortController().signal;

describe('real threads', () => {
  test('prepare, base64, a data URI and bytes give the same tensor as decoding in place', async () => {
    const jpeg = await textureJpeg({ width: 300, height: 200, seed: 1 });
    const base64 = Buffer.from(jpeg).toString('base64');
    const expected = toTensor(resizeAndCrop(await decode(jpeg), kerasRules), kerasRules, 'NCHW');
    const pipeline = pipelineOf({ threads: 2 });
    for (const image of [jpeg, base64, `data:image/jpeg;base64,${base64}`]) {
      const { tensor, decodeMs, preprocessMs } = await pipeline.prepare(image, never);
      expect(tensor).toEqual(expected);
      expect(decodeMs).toBeGreaterThan(0);
      expect(preprocessMs).toBeGreaterThan(0);
    }
    expect(jpeg.length).toBeGreaterThan(0); // not taken away from the caller
  });

  test('prepare, the layout and the rules are the manifest’s', async () => {
    const png = texturePng({ width: 80, height: 60, seed: 2 });
    const { tensor } = await pipelineOf({ rules: torchvisionRules, layout: 'NHWC' }).prepare(
      png,
      never,
    );
    expect(tensor).toEqual(
      toTensor(resizeAndCrop(await decode(png), torchvisionRules), torchvisionRules, 'NHWC'),
    );
  });

  test('prepare, errors keep their code and their words on the way between threads', async () => {
    const pipeline = pipelineOf();
    await expectFailure('BASE64_INVALID', /^not base64: '!' at position 3$/, () =>
      pipeline.prepare('AAA!', never),
    );
    await expectFailure('IMAGE_EMPTY', /no data/, () => pipeline.prepare('', never));
    await expectFailure('IMAGE_UNKNOWN_FORMAT', /decodes to text/, () =>
      pipeline.prepare(btoa('hello'), never),
    );
    const png = texturePng({ width: 80, height: 60, seed: 2 });
    await expectFailure('IMAGE_TRUNCATED', /PNG ends/, () =>
      pipeline.prepare(png.subarray(0, 500), never),
    );
    expect((await pipeline.prepare(png, never)).tensor.length).toBe(3 * 224 * 224);
  });

  test('prepare, limits hold for text and for bytes, on bytes and on pixels', async () => {
    const png = texturePng({ width: 80, height: 60, seed: 2 });
    const small: ImageLimits = { maxImageBytes: 1000, maxImagePixels: 4799 };
    const pipeline = pipelineOf({ limits: small });
    await expectFailure('IMAGE_TOO_LARGE', /more than 1000 bytes/, () =>
      pipeline.prepare(png, never),
    );
    await expectFailure('IMAGE_TOO_LARGE', /more than 1000 bytes/, () =>
      pipeline.prepare(Buffer.from(png).toString('base64'), never),
    );
    const pixels = pipelineOf({ limits: { ...small, maxImageBytes: 1e6 } });
    await expectFailure('IMAGE_TOO_LARGE', /80×60 = 4800 pixels; at most 4799/, () =>
      pixels.prepare(png, never),
    );
  });

  test('prepare, many at once all get their own answer', async () => {
    const pictures = Array.from({ length: 24 }, (_, seed) =>
      texturePng({ width: 40 + seed, height: 40, seed }),
    );
    const pipeline = pipelineOf({ threads: 3 });
    const results = await Promise.all(pictures.map((png) => pipeline.prepare(png, never)));
    for (const [i, { tensor }] of results.entries())
      expect(tensor).toEqual(
        toTensor(
          resizeAndCrop(await decode(pictures[i] as Uint8Array), kerasRules),
          kerasRules,
          'NCHW',
        ),
      );
  });

  test('prepare, memory comes back after a large image', async () => {
    const pipeline = pipelineOf();
    const small = await textureJpeg({ width: 64, height: 64, seed: 1 });
    await pipeline.prepare(small, never);
    const large = await textureJpeg({ width: 5000, height: 4000, seed: 1, quality: 50 });
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 4; i++) {
      await pipeline.prepare(large, never);
      least = Math.min(least, process.memoryUsage.rss() - before);
    }
    // One such image takes 160 MB while it is decoded.
    expect(least).toBeLessThan(80_000_000);
  }, 60_000);
});

test('prepare, resizing counts as well: a line of pixels is not resized in memory that nobody granted', async () => {
  const line = encodePng(new Image(1, 100_000, { colorModel: 'GREY' }));
  const rules: PreprocessRules = {
    ...torchvisionRules,
    resize: { mode: 'stretch', width: 256, height: 256, filter: 'bilinear' },
  };
  const small = { ...limits, maxDecodedBytes: 20_000_000 };
  // Between the two passes there are 100,000 rows of 224 pixels.
  await expectFailure('IMAGE_TOO_LARGE', /about \d{8} bytes of memory/, () =>
    pipelineOf({ rules, limits: small }).prepare(line, never),
  );
  expect((await pipelineOf({ limits: small }).prepare(line, never)).tensor.length).toBe(150_528);
});

describe('threads that misbehave', () => {
  const faulty = (
    options: Partial<ImagePipelineOptions> = {},
    patienceMs = 20_000,
  ): ImagePipeline & { readonly started: number } => {
    let started = 0;
    const spawn = (): Worker => {
      started += 1;
      return new Worker(new URL('./faulty-worker.ts', import.meta.url));
    };
    return Object.defineProperty(pipelineOf(options, { spawn, patienceMs }), 'started', {
      get: () => started,
    }) as never;
  };
  const answerTo = async (
    pipeline: ImagePipeline,
    image: string,
    signal = never,
  ): Promise<number | undefined> => (await pipeline.prepare(image, signal)).tensor[0];

  test('prepare, first come first served', async () => {
    const pipeline = faulty();
    const order: (number | undefined)[] = [];
    await Promise.all(
      ['slow 60', 'echo 1', 'echo 2', 'echo 3'].map(
        async (image) => void order.push(await answerTo(pipeline, image)),
      ),
    );
    expect(order).toEqual([60, 1, 2, 3]);
  });

  test('prepare, threads start when there is work for them, and no more than allowed', async () => {
    const pipeline = faulty({ threads: 2 });
    expect(pipeline.started).toBe(1);
    await answerTo(pipeline, 'echo 1');
    await answerTo(pipeline, 'echo 1');
    expect(pipeline.started).toBe(1);
    await Promise.all(['slow 30', 'slow 30', 'slow 30'].map((image) => answerTo(pipeline, image)));
    expect(pipeline.started).toBe(2);
  });

  test('prepare, aborted while it waits: CANCELLED at once, and its turn goes to the next', async () => {
    const pipeline = faulty();
    const abort = new AbortController();
    const first = answerTo(pipeline, 'slow 100');
    const second = failure(() => pipeline.prepare('echo 2', abort.signal));
    const third = answerTo(pipeline, 'echo 3');
    abort.abort(new Error('gone'));
    expect((await second).code).toBe('CANCELLED');
    expect([await first, await third]).toEqual([100, 3]);
  });

  test('prepare, aborted while it is decoded: CANCELLED at once, the result is dropped, the thread goes on', async () => {
    const pipeline = faulty();
    const abort = new AbortController();
    const settled: string[] = [];
    const first = failure(() => pipeline.prepare('slow 400', abort.signal));
    const second = answerTo(pipeline, 'echo 2');
    void first.then(() => settled.push('first'));
    void second.then(() => settled.push('second'));
    await Bun.sleep(50);
    abort.abort();
    expect((await first).code).toBe('CANCELLED');
    // The second one's turn comes when the thread is done with the first.
    expect(settled).toEqual(['first']);
    expect(await second).toBe(2);
    expect(pipeline.started).toBe(1);
  });

  test('prepare, aborted before: CANCELLED', () =>
    expectFailure('CANCELLED', /gave up/, () => faulty().prepare('echo 1', AbortSignal.abort())));

  for (const command of ['crash', 'exit'])
    test(`prepare, a thread that ends (${command}) fails its own image and is replaced`, async () => {
      const pipeline = faulty();
      const first = failure(() => pipeline.prepare(command, never));
      const second = answerTo(pipeline, 'echo 2');
      const error = await first;
      expect([error.code, error.message]).toEqual(['INTERNAL', 'internal error']);
      expect(String(error.cause)).toMatch(/crashes|ended/);
      expect(await second).toBe(2);
      expect(pipeline.started).toBe(2);
    });

  test('prepare, a thread that is stuck fails its own image and is replaced', async () => {
    const pipeline = faulty({}, 2000);
    await answerTo(pipeline, 'echo 1');
    const first = failure(() => pipeline.prepare('spin', never));
    const second = answerTo(pipeline, 'echo 2');
    const error = await first;
    expect([error.code, error.message]).toEqual([
      'IMAGE_CORRUPT',
      'the image was not decoded within 2 s',
    ]);
    expect(await second).toBe(2);
    expect(pipeline.started).toBe(2);
  });

  test('prepare, all threads that are stuck are replaced, and the log says so', async () => {
    const told: string[] = [];
    const tell = (message: string, level?: string): void => void told.push(`${level}: ${message}`);
    const pipeline = faulty({ threads: 2, tell }, 1000);
    const first = failure(() => pipeline.prepare('spin', never));
    const second = failure(() => pipeline.prepare('spin', never));
    const third = answerTo(pipeline, 'echo 3');
    expect([(await first).code, (await second).code]).toEqual(['IMAGE_CORRUPT', 'IMAGE_CORRUPT']);
    expect(await third).toBe(3);
    expect(told).toEqual(
      Array(2).fill(
        'warn: a decoding thread was given up: it hangs: nothing has come back for 1.0 s; another one takes its place',
      ),
    );
  });

  test('prepare, a thread that cannot be ended keeps neither its memory nor its place', async () => {
    const pipeline = faulty({ threads: 2, limits: { ...limits, maxDecodedBytes: 100 } }, 1000);
    const begun = performance.now();
    await expectFailure('IMAGE_CORRUPT', /within 1 s/, () => pipeline.prepare('sink 100', never));
    expect(await answerTo(pipeline, 'ask 100')).toBe(100);
    expect(performance.now() - begun).toBeLessThan(2800);
  });

  test('prepare, a thread that is stuck after its client has left is replaced', async () => {
    const givenUp = Promise.withResolvers<void>();
    const pipeline = faulty(
      { threads: 2, limits: { ...limits, maxDecodedBytes: 100 }, tell: () => givenUp.resolve() },
      1000,
    );
    await Promise.all([answerTo(pipeline, 'slow 30'), answerTo(pipeline, 'slow 30')]);
    const abort = new AbortController();
    const first = answerTo(pipeline, 'ask 100 600');
    await Bun.sleep(100);
    const second = failure(() => pipeline.prepare('deaf 100', abort.signal));
    await Bun.sleep(100);
    abort.abort();
    expect([await first, (await second).code]).toEqual([100, 'CANCELLED']);
    await givenUp.promise;
    await Promise.all([answerTo(pipeline, 'slow 300'), answerTo(pipeline, 'slow 300')]);
    expect(pipeline.started).toBe(3);
  });

  test('lost, when as many threads hang as there may be, and none can be ended', async () => {
    const pipeline = faulty({ threads: 1, limits: { ...limits, maxDecodedBytes: 100 } }, 500);
    await failure(() => pipeline.prepare('spin', never));
    expect(await Promise.race([pipeline.lost, Bun.sleep(1200)])).toBeUndefined();
    await failure(() => pipeline.prepare('sink 1', never));
    expect((await pipeline.lost).message).toBe('1 decoding threads hang and cannot be ended');
  });

  test('close, does not wait for a thread that cannot be ended', async () => {
    const pipeline = faulty();
    const running = failure(() => pipeline.prepare('sink 1', never));
    await Bun.sleep(300);
    const begun = performance.now();
    await pipeline.close();
    expect(performance.now() - begun).toBeLessThan(2500);
    expect((await running).code).toBe('DRAINING');
  });

  test('prepare, an error keeps its cause for the log', async () => {
    const error = await failure(() => faulty().prepare('fail', never));
    expect([error.code, error.message, error.cause]).toEqual([
      'IMAGE_CORRUPT',
      'told to',
      'a stack',
    ]);
  });

  test('prepare, images that together need more memory than allowed wait for one another', async () => {
    const pipeline = faulty({ threads: 3, limits: { ...limits, maxDecodedBytes: 100 } });
    await Promise.all(['slow 20', 'slow 20', 'slow 20'].map((image) => answerTo(pipeline, image)));
    const time = async (images: string[]): Promise<number> => {
      const started = performance.now();
      await Promise.all(images.map((image) => answerTo(pipeline, image)));
      return performance.now() - started;
    };
    expect(await time(['ask 60', 'ask 60', 'ask 60'])).toBeGreaterThanOrEqual(145);
    expect(await time(['ask 1000', 'ask 1000'])).toBeGreaterThanOrEqual(95);
  });

  test('prepare, aborted while it waits for memory: its thread is free again', async () => {
    const pipeline = faulty({ threads: 2, limits: { ...limits, maxDecodedBytes: 100 } });
    const abort = new AbortController();
    const first = answerTo(pipeline, 'ask 100');
    const second = failure(() => pipeline.prepare('ask 100', abort.signal));
    await Bun.sleep(20);
    abort.abort();
    expect((await second).code).toBe('CANCELLED');
    expect(await Promise.all([answerTo(pipeline, 'ask 10'), first])).toEqual([10, 100]);
  });

  test('prepare, the time to decode begins with the memory: waiting for it does not count, being stuck does', async () => {
    const limited = { threads: 3, limits: { ...limits, maxDecodedBytes: 100 } };
    const pipeline = faulty(limited, 1200);
    await Promise.all([1, 2, 3].map(() => answerTo(pipeline, 'slow 100')));
    // The third one waits for 1.4 s.
    const held = ['hold 700', 'hold 701', 'hold 702'];
    expect(await Promise.all(held.map((image) => answerTo(pipeline, image)))).toEqual([
      700, 701, 702,
    ]);
    const stuck = failure(() => pipeline.prepare('ask-spin 100', never));
    const error = await Promise.race([stuck, Bun.sleep(10_000)]);
    expect(error).toMatchObject({ message: 'the image was not decoded within 1.2 s' });
  });

  test('prepare, a thread that ends while it has memory gives it back', async () => {
    const pipeline = faulty({ limits: { ...limits, maxDecodedBytes: 100 } });
    expect((await failure(() => pipeline.prepare('ask-exit 100', never))).code).toBe('INTERNAL');
    const next = answerTo(pipeline, 'ask 100');
    expect(await Promise.race([next, Bun.sleep(10_000)])).toBe(100);
  });

  test('close, what waits and what is being decoded is told that the operator shuts down', async () => {
    const pipeline = faulty();
    const [running, waiting] = [
      failure(() => pipeline.prepare('slow 5000', never)),
      failure(() => pipeline.prepare('echo 1', never)),
    ];
    await pipeline.close();
    expect([(await running).code, (await waiting).code]).toEqual(['DRAINING', 'DRAINING']);
    await expectFailure('DRAINING', /shutting down/, () => pipeline.prepare('echo 1', never));
  });
});

test('createImagePipeline, rules that cannot be applied are refused', () => {
  const { crop, ...uncropped } = torchvisionRules;
  expect(crop).toBeDefined();
  expect(() => pipelineOf({ rules: uncropped })).toThrow(RangeError);
  expect(() =>
    pipelineOf({ rules: { ...torchvisionRules, crop: { width: 300, height: 200 } } }),
  ).toThrow(/300×200/);
  expect(() => pipelineOf({ threads: 0 })).toThrow(RangeError);
});
