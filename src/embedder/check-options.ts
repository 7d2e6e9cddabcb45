/** What can be said about an embedder's options without reading the weights, so that `serve` refuses before it listens. */
import { availableParallelism } from 'node:os';
import { ConfigError } from '../errors.ts';
import { parseAllowList } from '../image/source/allow-list.ts';
import { assertDevice } from '../inference/opening/assert-device.ts';
import type { Precision } from '../model/manifest.ts';
import { findModel, precisionOf } from '../model/open-model.ts';
import type { EmbedderOptions } from './embedder-options.ts';

export type CheckedOptions = Pick<
  EmbedderOptions,
  'model' | 'precision' | 'device' | 'threads' | 'urlAllow'
>;

/**
 * @returns sentences about what was probably not meant that way
 * @throws ConfigError with a line for each option that is wrong
 */
export function checkOptions(options: CheckedOptions, cores = availableParallelism()): string[] {
  const { model, threads, urlAllow } = options;
  let precision: Precision = options.precision ?? 'fp32';
  const problems = [
    problemOf(() => assertThreads(threads, cores)),
    problemOf(() => {
      precision = precisionOf(model, options.precision);
      findModel(model, precision);
    }),
    problemOf(() => assertDevice({ ...options, precision })),
    problemOf(() => parseAllowList(urlAllow)),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  if (threads === undefined || threads <= cores) return [];
  return [`--threads ${threads}: more than the ${cores} cores of this machine; that is no faster`];
}

/** A computing thread more costs some 30 ms of the start and 4 MB: 256 of them on two cores took 8 s and 1.2 GB. */
const mostThreads = (cores: number): number => Math.max(16, 4 * cores);

function assertThreads(threads: number | undefined, cores: number): void {
  const most = mostThreads(cores);
  if (threads === undefined || threads <= most) return;
  throw new ConfigError(
    `--threads ${threads}: at most ${most} on this machine of ${cores} cores; one per core is the default and the fastest`,
  );
}

function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
