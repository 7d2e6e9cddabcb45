/** Finds the model to serve: the file of `--model`, or the one inside the executable. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { compiled } from '../threads.ts';
import type { FileSlice } from './file-slice.ts';
import { type Manifest, modelId, type Precision, parseManifest, precisions } from './manifest.ts';
import { type Payload, readPayload } from './payload.ts';

/** The build puts in whether it appends a model: one that has lost it must not pass for one that never had any. */
declare const BUILD_WITH_MODEL: boolean | undefined;
const builtWithModel: boolean = typeof BUILD_WITH_MODEL === 'boolean' && BUILD_WITH_MODEL;

export interface Model {
  readonly manifest: Manifest;
  readonly precision: Precision;
  /** Model id: name, precision and checksum. */
  readonly id: string;
  /** The ONNX file of this precision. */
  readonly slice: FileSlice;
}

/**
 * @param path - an ONNX file with its manifest beside it (same name, `.json`); undefined for the embedded model
 * @throws ConfigError when there is no model, its manifest is wrong, or it lacks the precision
 */
export function openModel(path: string | undefined, precision: Precision): Model {
  const { manifest, slice } = path === undefined ? embedded(precision) : beside(path, precision);
  return { manifest, precision, id: modelId(manifest, precision), slice };
}

/**
 * Model id of each variant inside the executable; none when it carries no model.
 * @throws ConfigError when the model that it was built with is gone
 */
export function embeddedModelIds(): string[] {
  const payload = embeddedPayload();
  if (!payload) return [];
  const manifest = parseManifest(payload.manifest, 'the embedded model');
  return precisions
    .filter((precision) => payload.slices[precision])
    .map((precision) => modelId(manifest, precision));
}

function embeddedPayload(): Payload | undefined {
  if (!compiled) return undefined;
  const payload = readPayload(process.execPath);
  if (!payload && builtWithModel)
    throw new ConfigError(
      'this executable is damaged: its end is missing or changed, and with it the model; copy it again, or give a model with --model FILE',
    );
  return payload;
}

function embedded(precision: Precision): { manifest: Manifest; slice: FileSlice } {
  const payload = embeddedPayload();
  if (!payload)
    throw new ConfigError(
      'this executable carries no model: give one with --model FILE (made by `npm run model -- prepare`)',
    );
  const manifest = parseManifest(payload.manifest, 'the embedded model');
  const slice = payload.slices[precision];
  if (!slice) throw missingVariant(manifest, precision, Object.keys(payload.slices));
  return { manifest, slice };
}

function beside(path: string, precision: Precision): { manifest: Manifest; slice: FileSlice } {
  if (!existsSync(path)) throw new ConfigError(`--model ${path}: there is no such file`);
  if (path.endsWith('.json'))
    throw new ConfigError(`--model ${path}: that is a manifest; give the ONNX file beside it`);
  const manifestPath = join(dirname(path), `${basename(path, '.onnx')}.json`);
  const manifest = parseManifest(readJson(manifestPath), manifestPath);
  const variant = manifest.variants[precision];
  if (!variant) throw missingVariant(manifest, precision, Object.keys(manifest.variants));
  const file = join(dirname(path), variant.file);
  const size = sizeOf(file);
  if (size !== variant.bytes)
    throw new ConfigError(
      `${file}: ${size} bytes, but ${manifestPath} says ${variant.bytes}: prepare the model again`,
    );
  // The id that every reply carries must be that of these bytes. The embedded model was checked when it was embedded.
  if (sha256Of(file) !== variant.sha256)
    throw new ConfigError(
      `${file}: its checksum is not the one in ${manifestPath}: it is damaged or another model; prepare it again`,
    );
  return { manifest, slice: { path: file, offset: 0, length: size } };
}

/** Checksums of the files already read, by path, size and time of change: a start asks more than once. */
const checked = new Map<string, string>();

function sha256Of(file: string): string {
  const { size, mtimeMs } = statSync(file);
  const key = `${size} ${mtimeMs} ${file}`;
  const known = checked.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  const chunk = new Uint8Array(1 << 20);
  const fd = openSync(file, 'r');
  try {
    for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk))
      hash.update(chunk.subarray(0, n));
  } finally {
    closeSync(fd);
  }
  const sum = hash.digest('hex');
  checked.set(key, sum);
  return sum;
}

function missingVariant(manifest: Manifest, precision: Precision, has: string[]): ConfigError {
  const make =
    precision === 'int8'
      ? 'make it with `npm run model -- quantize --model FOLDER/resnet50.onnx --images FOLDER`'
      : precision === 'fp16'
        ? 'make it with `npm run model -- convert --model FOLDER/resnet50.onnx`'
        : 'prepare it with `npm run model -- prepare`';
  return new ConfigError(
    `--precision ${precision}: the model ${manifest.name} has only ${has.join(', ')}; ${make}`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(
      `${path}: the model's manifest cannot be read: ${(error as Error).message}`,
    );
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw new ConfigError(`${path}: the model cannot be read: ${(error as Error).message}`);
  }
}
