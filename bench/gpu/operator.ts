/** The operator's executable, started as a user would start it, on a free port of this machine. */
import { readFileSync } from 'node:fs';
import { readLines } from '../../tests/support/read-lines.ts';

export interface RunningOperator extends AsyncDisposable {
  readonly port: number;
  /** From exec to ready. */
  readonly readyMs: number;
  /** What it computes in: without half precision on the GPU it falls back to fp32, and says so. */
  readonly precision: string;
  /** Seconds of processor time so far. */
  cpuSeconds(): number;
  /** @throws Error when it no longer runs on the device it began with */
  assertSound(): void;
}

/** Shaders are compiled within this time, also by a driver that is only software. */
const patienceMs = 120_000;

/** @throws Error with what the operator said when it did not start */
export async function startOperator(
  executable: string,
  args: readonly string[],
): Promise<RunningOperator> {
  const begun = performance.now();
  const child = Bun.spawn(
    [executable, 'serve', '--listen', '127.0.0.1:0', '--log-format', 'json', ...args],
    { stdout: 'pipe', stderr: 'pipe' },
  );
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const complaints = new Response(child.stderr).text();
  let port = 0;
  let lost: string | undefined;
  const ready = Promise.withResolvers<LogLine>();
  const reading = readLines(child.stdout, (text) => {
    // Libraries print around what the operator logs.
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    if (typeof line.port === 'number') port = line.port;
    if (line.msg?.startsWith('ready')) ready.resolve(line);
    if (line.msg?.includes(' is lost: ')) lost ??= line.msg;
  });
  const ended = reading.then(async () => {
    throw new Error(`the operator did not start: ${sentenceOf(await complaints)}`);
  });
  const late = Bun.sleep(patienceMs).then(() => {
    throw new Error(`the operator was not ready after ${patienceMs / 1000} s`);
  });
  late.catch(() => {});
  const dispose = async (): Promise<void> => {
    process.off('exit', end);
    end();
    await child.exited;
  };
  let line: LogLine;
  try {
    line = await Promise.race([ready.promise, ended, late]);
  } catch (error) {
    await dispose();
    throw error;
  }
  ended.catch(() => {});
  return {
    port,
    readyMs: performance.now() - begun,
    precision: line.precision ?? 'unknown',
    cpuSeconds: () => cpuSecondsOf(child.pid),
    assertSound() {
      if (lost) throw new Error(`the operator lost its GPU: ${lost}`);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Its own line, without what libraries print around it. */
function sentenceOf(complaints: string): string {
  const lines = complaints.trim().split('\n');
  return lines.find((line) => line.startsWith('resnet50-encoder: ')) ?? lines.at(-1) ?? '';
}

interface LogLine {
  readonly msg?: string;
  readonly port?: number;
  readonly precision?: string;
}

/** Ticks a second in /proc: the kernel has told programs 100 for as long as it has had this file. */
const ticks = 100;

/** User and system time of a process with all its threads; NaN where there is no /proc. */
function cpuSecondsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may hold anything: state is the first field, utime the twelfth, stime the next.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticks;
  } catch {
    return Number.NaN;
  }
}
