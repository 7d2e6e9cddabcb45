/**
 * What int8 costs in accuracy: `npm run bench -- drift`.
 *
 * Quantises a model once for each way of calibrating and compares its embeddings with those of fp32, on pictures that it
 * was not calibrated with. Pictures and default weights are the tests' shared data.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { temporaryFolder } from '../model/files/abandoned.ts';
import { existingFile, integer, oneOf } from '../model/options.ts';
import { prepareModel } from '../model/prepare.ts';
import { quantiseModel } from '../model/quantize/quantise-model.ts';
import { methodsOf } from '../model/quantize/quantize-command.ts';
import { openSafetensors } from '../model/weights/safetensors.ts';
import { createImagePipeline } from '../src/image/image-pipeline.ts';
import { openSimd } from '../src/inference/opening/open-cpu.ts';
import { openOnnxruntime } from '../src/inference/opening/open-onnxruntime.ts';
import type { Manifest, Precision } from '../src/model/manifest.ts';
import { openModel } from '../src/model/open-model.ts';
import { data, unpacked } from '../tests/support/data.ts';
import { type Embedded, type Head, measureDrift, tableHead, tableRow } from './drift-metrics.ts';
import { benchOptions } from './options.ts';

const signal = new AbortController().signal;
const threads = 2;

interface Picture {
  readonly file: string;
  readonly label: string | undefined;
  readonly tensor: Float32Array;
}

/** The pictures of a folder; in `flowers` their folder is their label. */
async function readPictures(folder: string, manifest: Manifest): Promise<Picture[]> {
  const pipeline = createImagePipeline({
    rules: manifest.preprocess,
    layout: manifest.graph.layout,
    limits: { maxImageBytes: 1e9, maxImagePixels: 1e9 },
    threads,
  });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const pictures: Picture[] = [];
  for (const file of files) {
    const { tensor } = await pipeline.prepare(readFileSync(file), signal);
    const label = folder === data.flowers ? basename(dirname(file)) : undefined;
    pictures.push({ file: relative(data.root, file), label, tensor });
  }
  await pipeline.close();
  return pictures;
}

async function embed(
  path: string,
  precision: Precision,
  engine: string,
  pictures: readonly Picture[],
): Promise<Float32Array[]> {
  const model = openModel(path, precision);
  const simd = engine === 'simd' ? await openSimd(model, threads) : undefined;
  if (simd && 'unsupported' in simd) throw new Error(simd.unsupported);
  const opened = simd?.engine ?? (await openOnnxruntime(model, { threads }));
  const rows: Float32Array[] = [];
  for (const { tensor } of pictures) rows.push((await opened.run([tensor]))[0]!);
  await opened.close();
  return rows;
}

/** The `fc` layer of torchvision's weights. */
function readHead(weights: string): Head | undefined {
  if (!/safetensors/.test(weights)) return undefined;
  const file = openSafetensors(weights.endsWith('.gz') ? unpacked(weights) : weights);
  try {
    const [weights, bias] = ['fc.weight', 'fc.bias'].map((name) =>
      file.read(name, file.shapes.get(name) ?? []),
    ) as [Float32Array, Float32Array];
    return { weights, bias };
  } finally {
    file.close();
  }
}

if (import.meta.main) {
  const {
    weights = data.torchvisionWeightsGz,
    method = 'auto',
    engine = 'simd',
    count = 40,
  } = benchOptions({
    usage: 'drift',
    about:
      "What int8 costs: cosines, neighbours and classes, on pictures that it was not calibrated with. They are the tests' shared data.",
    table: {
      weights: existingFile("weights (default: torchvision's of the tests' shared data)"),
      method: oneOf(['auto', 'mse', 'percentile'], 'as for quantize (default: auto)'),
      count: integer('most images to calibrate with, as for quantize (default: 40)', 5),
      engine: oneOf(['simd', 'onnxruntime'], 'what computes the vectors (default: simd)'),
    },
  });
  const folder = temporaryFolder(tmpdir(), 'bench-drift');
  try {
    const { onnxPath, manifest } = await prepareModel({ weights, out: folder });
    const head = readHead(weights);
    const photos = await readPictures(data.photos, manifest);
    const flowers = await readPictures(data.flowers, manifest);
    const all = [...photos, ...flowers];
    const exact = await embed(onnxPath, 'fp32', engine, all);
    const rows: string[] = [];
    for (const [calibrated, images, measured, pictures] of [
      ['photos', data.photos, 'flowers', flowers],
      ['flowers', data.flowers, 'photos', photos],
      ['pictures made by code', undefined, 'photos and flowers', all],
    ] as const) {
      const tell = (line: string): void => console.error(`${calibrated}: ${line}`);
      const methods = methodsOf(method);
      await quantiseModel({ model: onnxPath, images, methods, count, seed: 1, tell, signal });
      const int8 = await embed(onnxPath, 'int8', engine, pictures);
      const set = pictures.map(
        (picture, i): Embedded => ({
          file: picture.file,
          label: picture.label,
          fp32: exact[all.indexOf(picture)]!,
          int8: int8[i]!,
        }),
      );
      rows.push(tableRow(calibrated, measured, measureDrift(set, head)));
    }
    console.log([tableHead, ...rows].join('\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.exit(0);
}
