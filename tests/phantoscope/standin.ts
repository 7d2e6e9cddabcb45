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

/** A test that needs a stand-in. */
export function testWithStandin(name: string, body: () => Promise<unknown>): void {
  testUnless(
    python ? undefined : 'no python3 with grpcio is installed (Debian: python3-grpcio)',
    name,
    body,
  );
}

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
  if (!python) throw new Error('no Python');
  const script = join(import.meta.dir, `standin_${version}.py`);
  const process = Bun.spawn([python, script, ...args], { stdout: 'pipe', stderr: 'ignore' });
  const url = await firstLine(process.stdout);
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
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.exited;
    },
  };
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stdout) {
    text += new TextDecoder().decode(chunk);
    const url = /listening on (\S+)\n/.exec(text)?.[1];
    if (url) return url;
  }
  throw new Error(`the stand-in ended: ${text}`);
}
