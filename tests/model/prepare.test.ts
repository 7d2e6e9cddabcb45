import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DownloadError, ModelError } from '../../model/errors.ts';
import { type PrepareOptions, prepareModel } from '../../model/prepare.ts';
import { kerasV1Recipe, torchvisionRecipe } from '../../model/recipes.ts';
import { buildResnet } from '../../model/resnet/build-resnet.ts';
import { convLayers, layOut } from '../../model/resnet/layers.ts';
import { resnet50KerasV1 } from '../../model/resnet/spec.ts';
import { untrainedWeights } from '../../model/weights/untrained.ts';
import { type ModelSource, type WriteModelOptions, writeModel } from '../../model/write-model.ts';
import { parseManifest } from '../../src/model/manifest.ts';
import { testFolder } from '../support/test-folder.ts';
import { serveLoopback } from './support/loopback.ts';
import { randomInput, randomLayers, tinySpec } from './support/random-weights.ts';
import { runOnnx, withInputSize } from './support/run-onnx.ts';
import { layouts, writeKeras } from './support/write-keras.ts';

let out: string;
beforeEach(() => {
  out = testFolder('prepared');
});

const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await Bun.file(path).bytes())
    .digest('hex');

const spec = tinySpec(resnet50KerasV1);
const { preprocess } = kerasV1Recipe;
const resize = { mode: 'stretch', filter: 'nearest', ...spec.inputSize } as const;
const tiny: ModelSource = {
  recipe: { ...kerasV1Recipe, spec, preprocess: { ...preprocess, resize } },
  read: untrainedWeights(spec),
  trained: false,
  source: { description: 'a small one', licence: 'none' },
};
const write = (options: Partial<WriteModelOptions> = {}, source = tiny) =>
  writeModel(source, { out, ...options });
const prepare = (options: Partial<PrepareOptions>) =>
  prepareModel({ out, cacheDir: join(out, 'cache'), ...options });

describe('untrainedWeights', () => {
  let model: Uint8Array;
  beforeAll(() => {
    model = buildResnet(resnet50KerasV1, untrainedWeights(resnet50KerasV1));
  }, 180_000);

  test('untrainedWeights, the same bytes in every run and on every machine', () => {
    // Pinned: a change here changes the id of every untrained model and wants a reason.
    expect(createHash('sha256').update(model).digest('hex')).toBe(
      'be50b1d8964ad46974692e62c64fee88006c9d6c5841eb8f4ea4883fd032e04d',
    );
  });

  test('untrainedWeights, vectors are finite and differ between images', async () => {
    const inputs = [randomInput(64, 64, 1), randomInput(64, 64, 2)];
    const rows = await runOnnx(withInputSize(model, 64, 64), inputs, 64, 64);
    const [a, b] = rows as [Float32Array, Float32Array];
    const dot = (x: Float32Array, y: Float32Array) =>
      x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    expect(a.every(Number.isFinite)).toBe(true);
    expect(Math.sqrt(dot(a, a) / a.length)).toBeWithin(0.01, 1e5);
    expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(0.95);
  }, 180_000);
});

test('recipes, the preprocessing that the published weights were trained with', () => {
  // Keras's imagenet_utils in mode "caffe", and torchvision's ResNet50_Weights.IMAGENET1K_V1.transforms(), written out.
  expect(kerasV1Recipe.preprocess).toEqual({
    resize: { mode: 'stretch', width: 224, height: 224, filter: 'nearest' },
    channels: 'BGR',
    scale: 1,
    mean: [103.939, 116.779, 123.68],
    std: [1, 1, 1],
  });
  expect(torchvisionRecipe.preprocess).toEqual({
    resize: { mode: 'shorter-side', size: 256, filter: 'bilinear' },
    crop: { width: 224, height: 224 },
    channels: 'RGB',
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });
});

describe('writeModel', () => {
  test('writeModel, the manifest describes the file', async () => {
    const { onnxPath, manifestPath, manifest } = await write({ out: join(out, 'a/b') });
    expect(readdirSync(join(out, 'a/b')).sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
    expect(parseManifest(await Bun.file(manifestPath).json(), manifestPath)).toEqual(manifest);
    expect(manifest).toMatchObject({
      name: 'resnet50_encoder',
      dimension: 40,
      trained: false,
      source: { description: 'a small one', licence: 'none' },
      graph: { input: 'input', output: 'features', layout: 'NCHW', height: 48, width: 48 },
      metricType: 'L2',
      normalise: 'l2',
    });
    expect(manifest.variants).toEqual({
      fp32: {
        file: 'resnet50.onnx',
        bytes: Bun.file(onnxPath).size,
        sha256: await sha256(onnxPath),
      },
    });
  });

  test('writeModel, the agreement goes into the manifest', async () => {
    const agreement = { samples: 2, minCosine: 0.9999999, maxRelativeDifference: 1e-6 };
    const { manifestPath } = await write({
      measureAgreement: async (path, { variants }) => {
        expect(await sha256(path)).toBe(variants.fp32!.sha256);
        return agreement;
      },
    });
    const manifest = parseManifest(await Bun.file(manifestPath).json(), manifestPath);
    expect(manifest.variants.fp32?.agreement).toEqual(agreement);
  });

  test('writeModel, a folder that cannot be made', async () => {
    const file = join(out, 'file');
    writeFileSync(file, '');
    await expect(write({ out: join(file, 'x') })).rejects.toThrow(file);
  });
});

test('writeModel, a name that cannot be taken: a sentence, and the old manifest is still there', async () => {
  const { onnxPath, manifestPath } = await write();
  const manifest = await Bun.file(manifestPath).text();
  rmSync(onnxPath);
  // A file cannot take the name of a folder.
  mkdirSync(join(onnxPath, 'something'), { recursive: true });
  const failure = write();
  await expect(failure).rejects.toThrow(`${onnxPath} cannot be written: that is a folder`);
  await expect(failure).rejects.toBeInstanceOf(ModelError);
  expect(await Bun.file(manifestPath).text()).toBe(manifest);
  expect(readdirSync(out).sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
});

describe('failures leave what was there', () => {
  beforeEach(() => {
    writeFileSync(join(out, 'resnet50.onnx'), 'old model');
    writeFileSync(join(out, 'resnet50.json'), 'old manifest');
  });
  afterEach(async () => {
    expect(await Bun.file(join(out, 'resnet50.onnx')).text()).toBe('old model');
    expect(await Bun.file(join(out, 'resnet50.json')).text()).toBe('old manifest');
    const left = readdirSync(out).filter((name) => name.startsWith('.') || /onnx|json/.test(name));
    expect(left.sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
  });

  test('writeModel, a layer that cannot be read', async () => {
    const read: ModelSource['read'] = (layer) => {
      if (layer.id === 'stage5.block1.conv3') throw new ModelError('damaged');
      return tiny.read(layer);
    };
    await expect(write({}, { ...tiny, read })).rejects.toThrow('damaged');
  });

  test('writeModel, weights that are not of the file that they should be', async () => {
    let read = 0;
    const counting: ModelSource['read'] = (layer) => {
      read++;
      return tiny.read(layer);
    };
    const assertUnchanged = (): void => {
      throw new ModelError(`exchanged after ${read} layers`);
    };
    const all = convLayers(layOut(spec)).length;
    await expect(write({}, { ...tiny, read: counting, assertUnchanged })).rejects.toThrow(
      `exchanged after ${all} layers`,
    );
  });

  test('writeModel, engines that cannot be compared', async () => {
    const measureAgreement = async (path: string) => {
      expect(existsSync(path)).toBe(true);
      throw new Error('no engine');
    };
    await expect(write({ measureAgreement })).rejects.toThrow('no engine');
  });

  test('writeModel, an interruption', async () => {
    const controller = new AbortController();
    const measureAgreement = async () => {
      controller.abort(new Error('interrupted'));
      return undefined;
    };
    const { signal } = controller;
    await expect(write({ measureAgreement, signal })).rejects.toThrow('interrupted');
  });

  test('prepareModel, a wrong shape', async () => {
    const weights = join(out, 'incomplete.h5');
    const layers = randomLayers({ ...resnet50KerasV1, filters: [1, 1, 1, 1] }, 1);
    writeKeras(weights, layers, layouts['Keras 1']);
    await expect(prepare({ weights })).rejects.toThrow(
      /incomplete\.h5: layer res2a_branch2a: res2a_branch2a_W:0 has shape \[1, 1, 64, 1\]/,
    );
  });

  test('prepareModel, an absent file, a folder, another checksum', async () => {
    const absent = prepare({ weights: '/absent.h5' });
    await expect(absent).rejects.toThrow('/absent.h5: there is no such file');
    await expect(absent).rejects.toBeInstanceOf(ModelError);
    await expect(prepare({ weights: out })).rejects.toThrow(/not a file/);
    const weights = join(out, 'weights');
    writeFileSync(weights, 'x');
    await expect(prepare({ weights, sha256: '0'.repeat(64) })).rejects.toThrow(
      /weights: its SHA-256 is 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, not 0{64}/,
    );
  });

  test('prepareModel, the default release offline', async () => {
    await expect(prepare({ offline: true })).rejects.toBeInstanceOf(DownloadError);
  });

  test('prepareModel, a login page in place of the weights is not kept', async () => {
    const server = await serveLoopback({
      '/portal.h5': (response) => response.end('<html>please log in</html>'),
    });
    const failure = prepare({ weights: `${server.url}/portal.h5` });
    await expect(failure).rejects.toThrow(/portal\.h5: .*neither Keras weights/);
    await expect(failure).rejects.toBeInstanceOf(DownloadError);
    await server.close();
    const left = readdirSync(join(out, 'cache/downloads'));
    expect(left.filter((name) => !name.endsWith('.lock'))).toEqual([]);
  });
});
