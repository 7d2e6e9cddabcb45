/** A weights file of any known format as a recipe and a reader of layers. */
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ModelError } from '../errors.ts';
import { temporaryFolder } from '../files/abandoned.ts';
import { assertSameFile } from '../files/hash-file.ts';
import { kerasTf2Recipe, kerasV1Recipe, type Recipe, torchvisionRecipe } from '../recipes.ts';
import type { WeightReader } from '../resnet/weights.ts';
import { detectFormat } from './format.ts';
import { openKerasFile } from './hdf5.ts';
import { kerasTf2Scheme, kerasWeights, recogniseScheme } from './keras.ts';
import { openSafetensors } from './safetensors.ts';
import { torchvisionWeights } from './torchvision.ts';

export interface OpenWeights {
  readonly recipe: Recipe;
  /** Usable until `close`. */
  readonly read: WeightReader;
  /**
   * To be called when all layers have been read.
   * @throws ModelError when they are not those of the file that was hashed
   */
  assertUnchanged(): void;
  close(): void;
}

/** What of it the formats give. */
type WeightsFile = Omit<OpenWeights, 'assertUnchanged'>;

/**
 * @param path - Keras HDF5 or torchvision safetensors, either also gzipped
 * @param fingerprint - the file's when its checksum was computed; the weights are of that file, or there are none
 * @throws ModelError when it is anything else, or not ResNet50's
 */
export async function openWeights(path: string, fingerprint?: string): Promise<OpenWeights> {
  const assertUnchanged = (): void => {
    if (fingerprint !== undefined) assertSameFile(path, fingerprint);
  };
  const file = await openFile(path);
  return closingOnError(file, () => {
    // HDF5 opens by the path and tells nothing of the file it has: so long as this is the one at the path, it is it.
    assertUnchanged();
    return { ...file, assertUnchanged };
  });
}

async function openFile(path: string): Promise<WeightsFile> {
  const format = detectFormat(path);
  if (format === 'gzip') return openGzipped(path);
  return format === 'hdf5' ? openKeras(path) : openTorchvision(path);
}

async function openKeras(path: string): Promise<WeightsFile> {
  const file = await openKerasFile(path);
  return closingOnError(file, () => {
    const scheme = recogniseScheme(file);
    const recipe = scheme === kerasTf2Scheme ? kerasTf2Recipe : kerasV1Recipe;
    return { recipe, read: kerasWeights(file, scheme, recipe.spec), close: file.close };
  });
}

function openTorchvision(path: string): WeightsFile {
  const file = openSafetensors(path);
  return closingOnError(file, () => ({
    recipe: torchvisionRecipe,
    read: torchvisionWeights(file, torchvisionRecipe.spec),
    close: file.close,
  }));
}

function closingOnError<T>(file: { close(): void }, work: () => T): T {
  try {
    return work();
  } catch (error) {
    file.close();
    throw error;
  }
}

function folderFor(path: string): string {
  try {
    return temporaryFolder(tmpdir(), 'resnet50-encoder');
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new ModelError(`${path}: cannot be unpacked: ${why} (another one: TMPDIR)`);
  }
}

/** Unpacks into a folder that is removed on closing; the readers need a file to seek in. */
async function openGzipped(path: string): Promise<WeightsFile> {
  const folder = folderFor(path);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const unpacked = join(folder, basename(path).replace(/\.gz$/, ''));
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(unpacked)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
          throw new ModelError(
            `${path}: cannot be unpacked: the disk is full: no room in ${tmpdir()} (another folder: TMPDIR)`,
          );
        throw new ModelError(`${path}: cannot be unpacked: ${error.message}`);
      },
    );
    if (detectFormat(unpacked) === 'gzip') throw new ModelError(`${path}: gzipped twice`);
    const weights = await openFile(unpacked);
    return {
      ...weights,
      close: () => {
        weights.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
