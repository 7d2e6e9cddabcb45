/** Decoding and preprocessing alone, on every core: what the operator cannot be faster than. */
import { createImagePipeline } from '../../src/image/image-pipeline.ts';
import type { Model } from '../../src/model/open-model.ts';
import type { BenchOptions } from './options.ts';
import type { Row } from './results.ts';
import { rateOfRuns } from './stopwatch.ts';

const limits = { maxImageBytes: 2 ** 24, maxImagePixels: 1e7 };

/** @param files - JPEGs */
export async function measureDecoding(
  { manifest }: Model,
  files: readonly Buffer[],
  { threads, seconds }: BenchOptions,
  tell: (line: string) => void,
): Promise<Row> {
  const pipeline = createImagePipeline({
    rules: manifest.preprocess,
    layout: manifest.graph.layout,
    limits,
    threads,
  });
  const texts = files.map((file) => new TextEncoder().encode(file.toString('base64')));
  const { signal } = new AbortController();
  let next = 0;
  // As a request's image comes: base64 in a buffer that is handed over.
  const decode = () => {
    const bytes = texts[next++ % texts.length]!.slice();
    return pipeline.prepare({ holds: 'base64', bytes }, signal);
  };
  try {
    const imagesPerSecond = await rateOfRuns(decode, 2 * threads, seconds);
    tell(`decoding alone, ${threads} threads: ${imagesPerSecond.toFixed(0)} images/s`);
    return { part: 'decoding', variant: 'none', imagesPerSecond, more: { threads } };
  } finally {
    await pipeline.close();
  }
}
