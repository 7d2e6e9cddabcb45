import { beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { convertModel } from '../../model/convert/convert-model.ts';
import { ModelError } from '../../model/errors.ts';
import { measureAgreement } from '../../model/measure-agreement.ts';
import { readGraphOf } from '../../model/quantize/graph.ts';
import { type QuantiseOptions, quantiseModel } from '../../model/quantize/quantise-model.ts';
import { cosine } from '../../src/inference/cosine.ts';
import { createSimdEngine } from '../../src/inference/simd/engine.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { openModel } from '../../src/model/open-model.ts';
import { testImage } from '../simd/support/models.ts';
import { smallTestModel } from '../support/models.ts';
import { texturePng } from '../support/pictures.ts';
import { testFolder } from '../support/test-folder.ts';
import { onOnnxruntime } from './support/quantised.ts';

const folder = testFolder('quantise');
const photos = join(folder, 'photos');
const { signal } = new AbortController();
let copies = 0;
/** A copy of the small model, for a test to add to. */
function modelCopy(): string {
  const copy = join(folder, `model${copies++}`);
  cpSync(dirname(smallTestModel()), copy, { recursive: true });
  return join(copy, 'resnet50.onnx');
}
const manifestOf = (model: string): Manifest =>
  JSON.parse(readFileSync(model.replace(/\.onnx$/, '.json'), 'utf8'));

beforeAll(() => {
  mkdirSync(join(photos, 'deep/er'), { recursive: true });
  for (let seed = 0; seed < 8; seed++) {
    const where = seed < 4 ? photos : join(photos, seed < 6 ? 'deep' : 'deep/er');
    const size = { width: 40 + 9 * seed, height: 50 };
    writeFileSync(join(where, `picture ${seed}.png`), texturePng({ ...size, seed }));
  }
  writeFileSync(join(photos, 'deep/notes.txt'), 'no picture');
  writeFileSync(
    join(photos, 'cut.png'),
    texturePng({ width: 40, height: 40, seed: 9 }).subarray(0, 300),
  );
});

async function quantise(model: string, changes: Partial<QuantiseOptions> = {}) {
  const lines: string[] = [];
  const variant = await quantiseModel({
    model,
    images: photos,
    methods: ['mse', { percentile: 99.99 }],
    count: 40,
    seed: 1,
    tell: (line) => lines.push(line),
    signal: new AbortController().signal,
    ...changes,
  });
  return { variant, lines };
}

test('quantise, adds an int8 variant that both engines run and that is near fp32', async () => {
  const model = modelCopy();
  const before = manifestOf(model);
  const { variant, lines } = await quantise(model, { measureAgreement });
  const manifest = manifestOf(model);
  expect(manifest.variants.int8).toEqual(variant);
  expect({ ...manifest, variants: {} }).toEqual({ ...before, variants: {} });
  expect(manifest.variants.fp32).toEqual(before.variants.fp32!);

  const bytes = readFileSync(join(dirname(model), variant.file));
  expect(variant.file).toBe('resnet50.int8.onnx');
  expect(variant.bytes).toBe(bytes.length);
  expect(variant.bytes).toBeLessThan(before.variants.fp32!.bytes / 2);
  expect(variant.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(variant.notes).toMatchObject({ calibration: 'photographs', calibrationImages: 7 });
  expect(variant.agreement?.minCosine).toBeGreaterThan(0.9999);

  expect(lines[0]).toBe('2 files are no readable images:');
  const named = lines.slice(1, 3).sort();
  expect(named[0]).toStartWith('  cut.png: ');
  expect(named[1]).toStartWith(`  ${join('deep', 'notes.txt')}: `);
  expect(lines[3]).toStartWith('warning: 8 photographs, not the 40 of --count: ');
  expect(lines.filter((line) => / held out, cosine to fp32 0\.99/.test(line)).length).toBe(2);

  const [fp32, int8] = [openModel(model, 'fp32'), openModel(model, 'int8')];
  const image = testImage(fp32.manifest.graph, 3);
  const opened = await createSimdEngine({ model: int8, threads: 1 });
  if ('unsupported' in opened) throw new Error(opened.unsupported);
  const [row] = await opened.engine.run([image]);
  await opened.engine.close();
  const [exact] = await onOnnxruntime(fp32, [image]);
  expect(cosine(row!, exact!)).toBeGreaterThan(0.999);
});

test('quantise, gives the same file for the same images and seed', async () => {
  const [first, second] = [modelCopy(), modelCopy()];
  const a = await quantise(first, { methods: ['mse'], count: 5 });
  const b = await quantise(second, { methods: ['mse'], count: 5 });
  const other = await quantise(second, { methods: ['mse'], count: 5, seed: 2 });
  expect(b.variant.sha256).toBe(a.variant.sha256);
  expect(other.variant.sha256).not.toBe(a.variant.sha256);
});

test('quantise and convert, leave a model alone whose file is not called .onnx', async () => {
  const model = modelCopy();
  const plain = join(dirname(model), 'network');
  const manifest = manifestOf(model);
  const fp32 = { ...manifest.variants.fp32!, file: 'network' };
  renameSync(model, plain);
  writeFileSync(`${plain}.json`, JSON.stringify({ ...manifest, variants: { fp32 } }));
  await quantise(plain, { images: undefined, count: 5, methods: ['mse'] });
  await convertModel({ ...{ model: plain, images: undefined, count: 1, tell: () => {} }, signal });
  for (const precision of ['fp32', 'int8', 'fp16'] as const)
    expect(openModel(plain, precision).id).toContain(precision);
});

test('quantise, keeps a variant that another command has added meanwhile', async () => {
  const model = modelCopy();
  const other = modelCopy();
  await convertModel({ ...{ model: other, images: undefined, count: 1, tell: () => {} }, signal });
  const { fp16 } = manifestOf(other).variants;
  let told = 0;
  const tell = (): void => {
    if (told++ > 0) return;
    const { variants, ...manifest } = manifestOf(model);
    writeFileSync(
      model.replace(/onnx$/, 'json'),
      JSON.stringify({ ...manifest, variants: { ...variants, fp16 } }),
    );
  };
  await quantise(model, { images: undefined, count: 5, methods: ['mse'], tell });
  expect(Object.keys(manifestOf(model).variants).sort()).toEqual(['fp16', 'fp32', 'int8']);
});

test('quantise, does not list a variant of a model that has been replaced meanwhile', async () => {
  const model = modelCopy();
  const tell = (): void => {
    const { variants, ...manifest } = manifestOf(model);
    const fp32 = { ...variants.fp32!, sha256: '0'.repeat(64) };
    writeFileSync(
      model.replace(/onnx$/, 'json'),
      JSON.stringify({ ...manifest, variants: { fp32 } }),
    );
  };
  const quantising = quantise(model, { images: undefined, count: 5, methods: ['mse'], tell });
  await expect(quantising).rejects.toThrow('another model has taken its place');
  expect(readdirSync(dirname(model)).sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
});

test('readGraphOf, does not read a model that has taken the place of the one that was opened', () => {
  const model = modelCopy();
  const { slice } = openModel(model, 'fp32');
  expect(readGraphOf(slice).nodes.length).toBeGreaterThan(10);
  cpSync(model, `${model}.new`);
  renameSync(`${model}.new`, model);
  expect(() => readGraphOf(slice)).toThrow(`${model}: another file has taken its place`);
  expect(() => readGraphOf(slice)).toThrow(ModelError);
});

test('quantise, calibrates with pictures made by code when no folder is given', async () => {
  const model = modelCopy();
  const { variant, lines } = await quantise(model, {
    images: undefined,
    count: 5,
    methods: ['mse'],
  });
  expect(lines[0]).toContain('5 pictures made by code');
  expect(variant.notes).toMatchObject({
    calibration: 'pictures made by code',
    calibrationImages: 4,
  });
});

test('quantise, takes a folder of nothing readable, or too little, for an error and changes nothing', async () => {
  const model = modelCopy();
  const before = readdirSync(dirname(model));
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  await expect(quantise(model, { images: empty })).rejects.toThrow('no readable image');
  await expect(quantise(model, { images: join(folder, 'absent') })).rejects.toThrow(
    'there is no such folder',
  );
  await expect(quantise(model, { images: join(photos, 'deep') })).rejects.toThrow(
    '4 images are too few',
  );
  expect(readdirSync(dirname(model))).toEqual(before);
  expect(manifestOf(model).variants.int8).toBeUndefined();
});

test('quantise, stops when it is interrupted and leaves nothing behind', async () => {
  const model = modelCopy();
  const before = readdirSync(dirname(model));
  const interrupt = new AbortController();
  const signal = interrupt.signal;
  const tell = (): void => interrupt.abort(new Error('interrupted'));
  await expect(quantise(model, { signal, tell })).rejects.toThrow('interrupted');
  expect(readdirSync(dirname(model))).toEqual(before);
});

test('model quantize, the command line: help, bad options, a model that is not there', async () => {
  const run = async (...args: string[]) => {
    const main = join(import.meta.dir, '../../model/main.ts');
    const child = Bun.spawn([process.execPath, main, 'quantize', ...args], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code: await child.exited, stdout, stderr };
  };
  const [help, bad, absent] = await Promise.all([
    run('--help'),
    run('--method', 'best', '--count', '4', '--seed', '-1'),
    run('--model', join(folder, 'absent.onnx')),
  ]);
  expect(help.stdout).toContain('--images FOLDER');
  expect(bad.code).toBe(2);
  expect(bad.stderr.trim().split('\n')).toEqual([
    '--method: needs auto, mse or percentile, not "best"',
    '--count: needs a whole number from 5, not "4"',
    '--seed: needs a whole number from 0, not "-1"',
    '--model: is missing (resnet50.onnx; its manifest lies beside it)',
  ]);
  expect(absent.code).toBe(2);
  expect(absent.stderr).toMatch(/absent\.onnx: there is no such file/);
});
