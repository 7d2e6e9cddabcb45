/** Starts the Python stand-ins of Phantoscope's API servers. */
import { join } from 'node:path';
import { testUnless } from '../support/data.ts';

const candidates = [process.env.PYTHON, '/usr/bin/python3', 'python3'].filter(
  (path): path is string => path !== undefined && Bun.which(path) !== null,
);

/** A Python that has grpcio. */
const python = candidates.find(
  (path) => Bun.spawnSync([path, '-c', 'import grpc, google.protobuf, sqlite3']).exitCode === 0,
);

/** A test that needs a stand-in; `missing` says what else is not there. */
export function testWithStandin(
  name: string,
  body: () => Promise<unknown>,
  missing?: string | undefined,
  timeoutMs?: number,
): void {
  const noPython = python
    ? undefined
    : 'no python3 with grpcio is installed (Debian: python3-grpcio)';
  testUnless(missing ?? noPython, name, body, timeoutMs);
}

interface PythonProcess extends AsyncDisposable {
  /** What it listens on: a URL, or host:port. */
  readonly address: string;
  /** Ends its input. @returns what it says then */
  finish(): Promise<string>;
}

/** Starts a script that says "listening on ADDRESS" when it is up. */
export async function startPython(
  script: string,
  args: readonly string[] = [],
): Promise<PythonProcess> {
  if (!python) throw new Error('no Python');
  const command = [python, join(import.meta.dir, script), ...args];
  const process = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' });
  const lines = linesOf(process.stdout);
  const { value = '' } = await lines.next();
  const address = /^listening on (\S+)$/.exec(value)?.[1];
  if (!address) throw new Error(`${script} ended: ${value}`);
  return {
    address,
    async finish() {
      process.stdin.end();
      return (await lines.next()).value ?? '';
    },
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.exited;
    },
  };
}

/** An encoder written in Python. */
export const startPythonOperator = (): Promise<PythonProcess> => startPython('python_operator.py');

export interface Standin extends AsyncDisposable {
  readonly url: string;
  /** JSON of a GET, for looking behind the client's back. */
  get(path: string): Promise<unknown>;
  post(path: string, body?: unknown): Promise<{ status: number; json: unknown }>;
  delete(path: string): Promise<number>;
}

export async function startStandin(
  version: 'v01' | 'v02',
  args: readonly string[] = [],
): Promise<Standin> {
  const process = await startPython(`standin_${version}.py`, args);
  const url = process.address;
  const send = (path: string, init: RequestInit): Promise<Response> => fetch(url + path, init);
  return {
    url,
    get: async (path) => (await send(path, {})).json(),
    post: async (path, body) => {
      const reply = await send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body ?? {}),
      });
      return { status: reply.status, json: await reply.json().catch(() => undefined) };
    },
    delete: async (path) => (await send(path, { method: 'DELETE' })).status,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

async function* linesOf(stdout: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stdout) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  return undefined;
}
