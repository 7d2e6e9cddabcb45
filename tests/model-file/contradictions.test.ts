/** A manifest that says something else than the graph beside it, or than itself. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../../src/errors.ts';
import { assertGraph } from '../../src/inference/opening/assert-graph.ts';
import { openCpuEngine } from '../../src/inference/opening/open-cpu.ts';
import { type Manifest, parseManifest } from '../../src/model/manifest.ts';
import { type Model, openModel } from '../../src/model/open-model.ts';
import { smallTestModel } from '../support/models.ts';

const model = openModel(smallTestModel(), 'fp32');
const { graph } = model.manifest;
const saying = (changes: Partial<Manifest>): Model => ({
  ...model,
  manifest: { ...model.manifest, ...changes },
});

const contradictions: [Partial<Manifest>, string][] = [
  [{ dimension: 100 }, 'output "features" is 100 (dimension), but it is 128: prepare'],
  [
    { graph: { ...graph, input: 'x' } },
    'input is named "x" (graph.input), but the graph has input',
  ],
  [{ graph: { ...graph, output: 'y' } }, 'named "y" (graph.output), but the graph has features'],
  [{ graph: { ...graph, layout: 'NHWC' } }, 'input "input" is 32×32×3 (graph.layout,'],
  [{ graph: { ...graph, width: 64 } }, 'is 3×32×64 (graph.layout, graph.height and graph.width)'],
];

test.each(contradictions)('assertGraph, %j', (changes, words) => {
  expect(() => assertGraph(saying(changes))).toThrow(words);
  expect(() => assertGraph(saying(changes))).toThrow(ConfigError);
});

test('assertGraph, a manifest that is right', () => {
  expect(() => assertGraph(model)).not.toThrow();
});

test.each(['auto', 'onnxruntime'] as const)(
  '--engine %s, refuses the model before anything is told or loaded',
  async (engine) => {
    const told: string[] = [];
    const opening = openCpuEngine(saying({ dimension: 100 }), { engine, threads: 1 }, (line) =>
      told.push(line),
    );
    expect(await opening.catch((error: unknown) => error)).toBeInstanceOf(ConfigError);
    expect(told.filter((line) => line.includes('simd cannot run'))).toEqual([]);
  },
);

test('a file that is no network, is the model’s fault with onnxruntime as well', async () => {
  const path = import.meta.path;
  const slice = { path, offset: 0, length: readFileSync(path).length };
  const opening = openCpuEngine(
    { ...model, slice },
    { engine: 'onnxruntime', threads: 1 },
    () => {},
  );
  const error = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toStartWith(`onnxruntime cannot load ${path}: `);
});

test('parseManifest, pictures that the graph does not take', () => {
  const { preprocess } = model.manifest;
  const withRules = (changes: Partial<typeof preprocess>) =>
    parseManifest({ ...model.manifest, preprocess: { ...preprocess, ...changes } }, 'a.json');
  expect(() => withRules({ crop: { width: 30, height: 32 } })).toThrow(
    'a.json: not a model manifest: preprocess: it makes pictures of 30×32, but graph takes 32×32',
  );
  const shorter = { mode: 'shorter-side', size: 40, filter: 'bilinear' } as const;
  expect(() => withRules({ resize: shorter })).toThrow('pictures of any size');
  expect(withRules({ resize: shorter, crop: { width: 32, height: 32 } }).dimension).toBe(128);
});

/** A manifest as somebody may have written it. */
type Draft = Omit<Manifest, 'preprocess' | 'variants'> & {
  preprocess: object;
  variants: object;
};
const { preprocess, variants } = model.manifest;
const shorter = (size: number) => ({ mode: 'shorter-side', size, filter: 'nearest' });
const stretched = (width: number, height: number) => ({
  ...{ mode: 'stretch', width, height, filter: 'nearest' },
});
const crop = { width: 32, height: 32 };

test.each<[string, Partial<Draft>, string]>([
  ['a division by zero', { preprocess: { ...preprocess, std: [1, 0, 1] } }, 'preprocess.std.1'],
  ['pictures of one colour', { preprocess: { ...preprocess, scale: 0 } }, 'preprocess.scale'],
  [
    'a number beyond all',
    { preprocess: { ...preprocess, mean: [0, Number.POSITIVE_INFINITY, 0] } },
    'preprocess.mean.1',
  ],
  [
    'a crop that is larger than a shorter side',
    { preprocess: { ...preprocess, resize: shorter(31), crop } },
    'preprocess: it cuts 32×32 out of pictures of 31 pixels',
  ],
  [
    'a crop that is higher than what it is cut from',
    { preprocess: { ...preprocess, resize: stretched(40, 31), crop } },
    'preprocess: it cuts 32×32 out of pictures of 40×31',
  ],
  ['no variant at all', { variants: {} }, 'variants: there is none'],
  [
    'a file that is not beside it',
    { variants: { fp32: { ...variants.fp32, file: '../a.onnx' } } },
    'variants.fp32.file',
  ],
  [
    'a file without a name',
    { variants: { fp32: { ...variants.fp32, file: '' } } },
    'variants.fp32.file',
  ],
])('parseManifest, %s', (_, changes, words) => {
  const manifest = { ...model.manifest, ...changes };
  expect(() => parseManifest(manifest, 'a.json')).toThrow(`a.json: not a model manifest: ${words}`);
});
