/** Where calibration images come from: a folder of photographs, or code. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { OperatorError } from '../../src/errors.ts';
import { createImagePipeline } from '../../src/image/image-pipeline.ts';
import { resizeAndCrop } from '../../src/image/preprocess/resize.ts';
import { toTensor } from '../../src/image/preprocess/to-tensor.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { fileReason } from '../../src/system-error.ts';
import { ModelError } from '../errors.ts';
import { createRandom } from '../random.ts';
import { deadLeaves } from './dead-leaves.ts';

export interface ImageOptions {
  readonly manifest: Manifest;
  /** Most images. */
  readonly count: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Photographs of 100 megapixels are calibration images too; files larger than that are something else. */
const limits = { maxImageBytes: 256 << 20, maxImagePixels: 100e6 };

/**
 * Decodes up to `count` images of the folder and what is below it, chosen at random, as the operator would.
 * @throws ModelError when there is no readable image
 */
export async function readImages(folder: string, options: ImageOptions): Promise<Float32Array[]> {
  const { manifest, count, seed, tell, signal } = options;
  const files = shuffled(listFiles(folder), seed);
  const threads = availableParallelism();
  const rules = manifest.preprocess;
  const pipeline = createImagePipeline({ rules, layout: manifest.graph.layout, limits, threads });
  const images: Float32Array[] = [];
  const unreadable: string[] = [];
  const read = async (file: string): Promise<Float32Array | string> => {
    try {
      return (await pipeline.prepare(readFileSync(join(folder, file)), signal)).tensor;
    } catch (error) {
      if (signal.aborted || !(error instanceof OperatorError) || error.kind === 'internal')
        throw error;
      return `${file}: ${error.message}`;
    }
  };
  try {
    for (let next = 0; next < files.length && images.length < count; ) {
      const batch = files.slice(next, next + Math.min(threads, count - images.length));
      next += batch.length;
      for (const result of await Promise.all(batch.map(read)))
        if (typeof result === 'string') unreadable.push(result);
        else images.push(result);
    }
  } finally {
    await pipeline.close();
  }
  for (const line of listUnreadable(unreadable)) tell(line);
  if (images.length === 0)
    throw new ModelError(
      `${folder}: no readable image in it or below it (${files.length} files looked at)`,
    );
  return images;
}

/** Pictures made by code. */
export function makeImages({ manifest, count, seed, signal }: ImageOptions): Float32Array[] {
  const { preprocess, graph } = manifest;
  return Array.from({ length: count }, (_, i) => {
    signal.throwIfAborted();
    return toTensor(resizeAndCrop(deadLeaves(seed + i), preprocess), preprocess, graph.layout);
  });
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such folder' : `cannot be read: ${fileReason(error)}`;
    throw new ModelError(`--images ${folder}: ${why}`);
  }
}

/** Fisher and Yates. */
function shuffled(items: readonly string[], seed: number): string[] {
  const random = createRandom(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.uint32() % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

const named = 5;

/** A line each, and no more than a screen has room for. */
function listUnreadable(files: readonly string[]): string[] {
  if (files.length === 0) return [];
  const more = files.length - named;
  return [
    `${files.length} ${files.length === 1 ? 'file is no readable image' : 'files are no readable images'}:`,
    ...files.slice(0, named).map((file) => `  ${file}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
