/** Finds the model to serve: the file of `--model`, or the one inside the executable. */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { fileReason } from '../system-error.ts';
import { compiled } from '../threads.ts';
import { type FileSlice, fingerprintOf } from './file-slice.ts';
import { type Manifest, modelId, type Precision, parseManifest, precisions } from './manifest.ts';
import { damagedExecutable, type Payload, readPayload } from './payload.ts';

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
 * @throws ConfigError when there is no model, its manifest is wrong, it lacks the precision or its bytes are others
 */
export function openModel(path: string | undefined, precision: Precision): Model {
  const model = findModel(path, precision);
  // The id that every reply carries must be that of these bytes. The embedded model was checked when it was embedded.
  if (path !== undefined) assertChecksum(path, model);
  return model;
}

/** The same without reading the weights: quick, and not sure yet that the bytes are those of the id. */
export function findModel(path: string | undefined, precision: Precision): Model {
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

/**
 * The precisions that can be opened.
 * @throws ConfigError when there is no model, or not what it should be
 */
export function presentPrecisions(path: string | undefined): Precision[] {
  const there = path === undefined ? embeddedPayload()?.slices : readManifest(path).variants;
  return precisions.filter((precision) => there?.[precision]);
}

/**
 * What is run: what was asked for, else fp32, else the only one there is.
 * @throws ConfigError as `presentPrecisions`
 */
export function precisionOf(path: string | undefined, asked: Precision | undefined): Precision {
  if (asked) return asked;
  const has = presentPrecisions(path);
  return has.includes('fp32') ? 'fp32' : (has[0] ?? 'fp32');
}

function embeddedPayload(): Payload | undefined {
  if (!compiled) return undefined;
  const payload = readPayload(process.execPath);
  if (!payload && builtWithModel) throw damagedExecutable();
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

/**
 * The manifest beside the ONNX file that was given as `--model`.
 * @throws ConfigError when one of them is not there or not what it should be
 */
export function readManifest(path: string): Manifest {
  const given = `--model ${path}`;
  const kind = kindOf(path, given);
  if (!kind) throw new ConfigError(`${given}: there is no such file`);
  if (kind.isDirectory())
    throw new ConfigError(
      `${given}: that is a folder; give the ONNX file in it, such as ${join(path, 'resnet50.onnx')}`,
    );
  if (path.endsWith('.json'))
    throw new ConfigError(`${given}: that is a manifest; give the ONNX file beside it`);
  const manifestPath = manifestPathOf(path);
  return parseManifest(readJson(given, manifestPath), `${given}: ${manifestPath}`);
}

function kindOf(path: string, given: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new ConfigError(`${given}: it cannot be read: ${fileReason(error)}`);
  }
}

function beside(path: string, precision: Precision): { manifest: Manifest; slice: FileSlice } {
  const given = `--model ${path}`;
  const manifest = readManifest(path);
  const files = Object.values(manifest.variants).flatMap((variant) => variant?.file ?? []);
  if (!files.includes(basename(path)))
    throw new ConfigError(
      `${given}: its manifest is that of ${files.join(' and ')}; a model that gets another name is to be prepared under it`,
    );
  const variant = manifest.variants[precision];
  if (!variant) throw missingVariant(manifest, precision, Object.keys(manifest.variants), path);
  const file = join(dirname(path), variant.file);
  const stats = statsOf(given, file);
  const { size } = stats;
  if (size !== variant.bytes)
    throw new ConfigError(
      `${given}: ${variant.file} has ${size} bytes, but its manifest says ${variant.bytes}: prepare the model again`,
    );
  return {
    manifest,
    slice: { path: file, offset: 0, length: size, fingerprint: fingerprintOf(stats) },
  };
}

/** Where the manifest of an ONNX file lies. */
export const manifestPathOf = (onnx: string): string =>
  join(dirname(onnx), `${basename(onnx, '.onnx')}.json`);

function assertChecksum(path: string, { manifest, precision, slice }: Model): void {
  if (sha256Of(slice.path) === manifest.variants[precision]?.sha256) return;
  throw new ConfigError(
    `--model ${path}: the checksum of ${basename(slice.path)} is not the one in its manifest: it is damaged or another model; prepare it again`,
  );
}

/** Checksums of the files already read, by path and fingerprint: a start asks more than once. */
const checked = new Map<string, string>();

function sha256Of(file: string): string {
  const key = `${fingerprintOf(statSync(file))} ${file}`;
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

/** @param path - the model's ONNX file; undefined for the embedded model, which has to be made and built in elsewhere */
function missingVariant(
  manifest: Manifest,
  precision: Precision,
  has: string[],
  path?: string,
): ConfigError {
  const model = `--model ${path ?? 'FOLDER/resnet50.onnx'}`;
  const make =
    precision === 'int8'
      ? `make it with \`npm run model -- quantize ${model} --images FOLDER\``
      : precision === 'fp16'
        ? `make it with \`npm run model -- convert ${model}\``
        : 'prepare it with `npm run model -- prepare`';
  const then = path
    ? ''
    : ', then build it in with `npm run build -- --precision all`, or give it with --model FILE';
  return new ConfigError(
    `--precision ${precision}: the model ${manifest.name} has only ${has.join(', ')}: give --precision ${has[0]}, or ${make}${then}`,
  );
}

function readJson(given: string, path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [, stem, variant] = /^(.*)\.(int8|fp16)\.json$/.exec(path) ?? [];
    throw new ConfigError(
      code === 'ENOENT'
        ? variant && existsSync(`${stem}.onnx`)
          ? `${given}: that is a variant of a model; give --model ${stem}.onnx --precision ${variant}`
          : `${given}: its manifest ${path} is not there; \`npm run model -- prepare\` writes both`
        : `${given}: its manifest ${path} cannot be read: ${code ? fileReason(error) : message}`,
    );
  }
}

function statsOf(given: string, path: string): Stats {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path);
  } catch (error) {
    throw new ConfigError(`${given}: ${path} cannot be read: ${fileReason(error)}`);
  }
}
