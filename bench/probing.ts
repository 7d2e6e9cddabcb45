/** Calls Healthy from a process of its own while something else goes on. */
import { join } from 'node:path';
import type { ProbeFigures } from './flood-roles.ts';

export const role = (...args: readonly (string | number)[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, 'flood-roles.ts'), ...args.map(String)], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
export const figuresOf = async <T>(child: ReturnType<typeof role>): Promise<T> =>
  JSON.parse(await new Response(child.stdout as ReadableStream<Uint8Array>).text()) as T;

export async function probing<T>(
  port: number,
  pid: number,
  work: () => Promise<T>,
): Promise<[T, ProbeFigures]> {
  const child = role('probe', port, pid);
  const result = await work();
  child.kill('SIGTERM');
  return [result, await figuresOf<ProbeFigures>(child)];
}

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
export const tell = ({ count, p50, p99, max, slowest, mostRan, ownLag }: ProbeFigures): string =>
  `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} ms of ${count} (in the slowest the main thread ran ${ms(slowest.ran)} ms and waited ${ms(slowest.waited)} ms for a core; where it waited less than 20 ms it ran ${ms(mostRan)} ms at most; the probe itself was late by up to ${ms(ownLag)} ms)`;
