/** Calls Healthy from a process of its own while something else goes on. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { ProbeFigures } from './flood-roles.ts';

export const role = (...args: readonly (string | number)[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, 'flood-roles.ts'), ...args.map(String)], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
export const figuresOf = async <T>(child: ReturnType<typeof role>): Promise<T> =>
  JSON.parse(await new Response(child.stdout as ReadableStream<Uint8Array>).text()) as T;

const ticksPerSecond = 100;

/** Ticks of a core that whoever is neither the operator, nor this process, nor a child of it that has ended, has taken so far. */
function ticksOfOthers(operator: number): number {
  const numbers = (text: string): number[] => text.trim().split(/\s+/).map(Number);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = numbers(
    readFileSync('/proc/stat', 'utf8').split('\n')[0]?.slice(4) ?? '',
  );
  /** utime, stime, and those of children that have ended (proc_pid_stat(5)). */
  const own = (pid: number): readonly number[] =>
    numbers(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.slice(2) ?? '').slice(10, 14);
  return user + nice + system + irq + softirq - sum(own(operator)) - sum(own(process.pid));
}

interface Probed extends ProbeFigures {
  /** Share of the machine's cores that others had meanwhile. */
  readonly others: number;
}

export async function probing<T>(
  port: number,
  pid: number,
  work: () => Promise<T>,
): Promise<[T, Probed]> {
  const before = ticksOfOthers(pid);
  const begun = performance.now();
  const child = role('probe', port, pid);
  const result = await work();
  child.kill('SIGTERM');
  const figures = await figuresOf<ProbeFigures>(child);
  await child.exited;
  const seconds = (performance.now() - begun) / 1000;
  const others = (ticksOfOthers(pid) - before) / ticksPerSecond / seconds / cpus().length;
  return [result, { ...figures, others }];
}

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
export const tell = ({ count, p50, p99, max, slowest, mostRan, ownLag, others }: Probed): string =>
  `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} ms of ${count} (in the slowest the main thread ran ${ms(slowest.ran)} ms and waited ${ms(slowest.waited)} ms for a core; where it waited less than 20 ms it ran ${ms(mostRan)} ms at most; the probe itself was late by up to ${ms(ownLag)} ms; others had ${Math.round(100 * others)} % of the cores)`;
