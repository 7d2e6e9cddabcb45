/** Operators on a GPU: starting them, calling them, what they say. */
import { testExecutable } from '../../support/executable.ts';
import { type LogLine, type Operator, startOperator } from '../../support/operator.ts';
import { type Output, outputOf } from '../../support/output-of.ts';
import { texturePng } from '../../support/pictures.ts';
import { testFolder } from '../../support/test-folder.ts';

export interface StartOptions {
  readonly model: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** @default the one without a model */
  readonly executable?: string;
  readonly patienceMs?: number;
}

/** An operator in the executable, with a cache folder of its own. */
export async function start(options: StartOptions): Promise<Operator> {
  const { model, args = [], env = {}, executable, patienceMs = 120_000 } = options;
  return startOperator({
    executable: executable ?? (await testExecutable()),
    args: ['--model', model, ...args],
    env: { XDG_CACHE_HOME: testFolder('cache'), ...env },
    patienceMs,
  });
}

/** The executable without a model, run to its end. */
export async function runToEnd(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Output> {
  return outputOf(
    Bun.spawn([await testExecutable(), ...args], {
      env: { XDG_CACHE_HOME: testFolder('cache'), ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  );
}

/** @throws Error with the status and the message of a failed call */
export async function execute(
  operator: Operator,
  datas: readonly string[],
): Promise<Float32Array[]> {
  const body = await call(operator, 'omnisearch.Operator/Execute', { datas });
  const { vectors = [] } = body as { vectors?: { element: number[] }[] };
  return vectors.map(({ element }) => Float32Array.from(element));
}

/** `SERVING` or `NOT_SERVING`, by grpc.health.v1. */
export async function health(operator: Operator): Promise<string> {
  const { status = '' } = (await call(operator, 'grpc.health.v1.Health/Check', {})) as {
    status?: string;
  };
  return status;
}

async function call(operator: Operator, method: string, request: unknown): Promise<unknown> {
  const response = await fetch(`${operator.url}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const body = (await response.json()) as { message?: string };
  if (!response.ok) throw new Error(`${response.status} ${body.message}`);
  return body;
}

export const readyLine = ({ logs }: Operator): LogLine =>
  logs.find(({ msg }) => msg?.startsWith('ready')) ?? {};

/** Different pictures, as base64. */
export const pictures = (count: number, size = { width: 80, height: 60 }): string[] =>
  Array.from({ length: count }, (_, seed) =>
    Buffer.from(texturePng({ ...size, seed })).toString('base64'),
  );
