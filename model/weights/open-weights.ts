/** A weights file of any known format as a recipe and a reader of layers. */
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ModelError } from '../errors.ts';
import { temporaryFolder } from '../files/abandoned.ts';
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
  close(): void;
}

/**
 * @param path - Keras HDF5 or torchvision safetensors, either also gzipped
 * @throws ModelError when it is anything else, or not ResNet50's
 */
export async function openWeights(path: string): Promise<OpenWeights> {
  const format = detectFormat(path);
  if (format === 'gzip') return openGzipped(path);
  return format === 'hdf5' ? openKeras(path) : openTorchvision(path);
}

async function openKeras(path: string): Promise<OpenWeights> {
  const file = await openKerasFile(path);
  return closingOnError(file, () => {
    const scheme = recogniseScheme(file);
    const recipe = scheme === kerasTf2Scheme ? kerasTf2Recipe : kerasV1Recipe;
    return { recipe, read: kerasWeights(file, scheme, recipe.spec), close: file.close };
  });
}

function openTorchvision(path: string): OpenWeights {
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
async function openGzipped(path: string): Promise<OpenWeights> {
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
    const weights = await openWeights(unpacked);
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
