/** Starts an operator as a process of its own, on a free port. */
import { join } from 'node:path';
import { testExecutable } from './executable.ts';
import { preparedTestModel } from './models.ts';
import { type Output, outputOf } from './output-of.ts';
import { readLines } from './read-lines.ts';

const root = join(import.meta.dir, '../..');

/**
 * What the contract tests run against: the compiled executable with untrained weights (or that of TEST_OPERATOR_FILE), or,
 * with TEST_OPERATOR=fake, src/ with tests/support/fake-server.ts, which starts at once.
 */
export const operatorKind: 'fake' | 'binary' =
  process.env.TEST_OPERATOR === 'fake' ? 'fake' : 'binary';

async function operatorCommand(kind: 'fake' | 'binary' = operatorKind): Promise<readonly string[]> {
  if (kind === 'fake') return [process.execPath, join(root, 'tests/support/fake-server.ts')];
  return [
    process.env.TEST_OPERATOR_FILE ?? (await testExecutable(await preparedTestModel('untrained'))),
  ];
}

export interface OperatorOptions {
  /** Besides `--listen` on a free port, the log's format and level. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Wait until it is ready, not only until it listens. @default true */
  readonly ready?: boolean;
  /** How long the fake takes for an image; the executable takes what it takes. */
  readonly msPerImage?: number;
  /** @default operatorKind */
  readonly kind?: 'fake' | 'binary';
  /** This executable instead of what `kind` says. */
  readonly executable?: string;
  /** How long a log line is waited for, milliseconds. @default 10000 */
  readonly patienceMs?: number;
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

export interface Operator extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What it has logged so far. */
  readonly logs: readonly LogLine[];
  /** The first line that fits, waited for. @throws Error when it does not come within 10 s */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number>;
}

export async function startOperator(options: OperatorOptions = {}): Promise<Operator> {
  const { args = [], env = {}, ready = true, msPerImage, executable } = options;
  const child = Bun.spawn(
    [
      ...(executable ? [executable] : await operatorCommand(options.kind)),
      '--listen',
      '127.0.0.1:0',
      '--log-format',
      'json',
      '--log-level',
      'debug',
      ...args,
    ],
    {
      env: {
        ...withoutOperatorVariables(),
        ...(msPerImage !== undefined && { FAKE_MS_PER_IMAGE: String(msPerImage) }),
        ...env,
      },
      stdout: 'pipe',
      stderr: 'pipe',
    },
  );
  const logs: LogLine[] = [];
  const watchers = new Set<() => void>();
  const complaints = new Response(child.stderr).text();
  const reading = readLines(child.stdout, (line) => {
    logs.push(JSON.parse(line) as LogLine);
    for (const look of [...watchers]) look();
  });

  async function logged(fits: (line: LogLine) => boolean): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const look = (): void => {
      const found = logs.find(fits);
      if (found) resolve(found);
    };
    const fail = (why: string): void =>
      reject(new Error(`${why}: ${logs.map((line) => JSON.stringify(line)).join('\n')}`));
    watchers.add(look);
    look();
    const timer = setTimeout(() => fail('the log line did not come'), options.patienceMs ?? 10_000);
    void reading.then(async () => fail(`the operator ended (${await complaints})`));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      watchers.delete(look);
    }
  }

  const stop = (): Promise<number> => {
    child.kill('SIGTERM');
    return child.exited;
  };
  const { port } = await logged((line) => typeof line.port === 'number');
  if (ready) await logged((line) => line.msg?.startsWith('ready') ?? false);
  return {
    port: Number(port),
    pid: child.pid,
    url: `http://127.0.0.1:${port}`,
    logs,
    logged,
    kill: (signal) => child.kill(signal),
    exited: child.exited,
    stop,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

/** Runs a command of the operator to its end. */
export async function runOperator(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const child = Bun.spawn([...(await operatorCommand()), ...args], {
    env: { ...withoutOperatorVariables(), ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return outputOf(child);
}

function withoutOperatorVariables(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('OP_')),
  );
}
