/** The compiled executable under limits, and how it fares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Client, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Operator as OperatorService } from '../../../src/gen/omnisearch/operator_pb.ts';
import { testExecutable } from '../../support/executable.ts';
import { smallTestModel } from '../../support/models.ts';
import { type Operator, startOperator } from '../../support/operator.ts';

export interface LimitedOperator extends Operator {
  /** gRPC over a connection of its own. */
  client(): Client<typeof OperatorService>;
  /** Resident memory at its highest since `forgetPeak`, megabytes. */
  readonly peakMb: number;
  /** @returns resident memory now, megabytes */
  forgetPeak(): number;
}

export const buildTimeout = 120_000;

export async function startLimited(...args: readonly string[]): Promise<LimitedOperator> {
  const executable = await testExecutable(smallTestModel());
  const operator = await startOperator({ executable, args, patienceMs: 60_000 });
  const memory = (key: string): number => {
    const status = readFileSync(`/proc/${operator.pid}/status`, 'utf8');
    return Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1000;
  };
  return {
    ...operator,
    client: () => createClient(OperatorService, createGrpcTransport({ baseUrl: operator.url })),
    get peakMb() {
      return memory('VmHWM');
    },
    forgetPeak() {
      // proc_pid_clear_refs(5): 5 resets the peak of the resident set.
      writeFileSync(`/proc/${operator.pid}/clear_refs`, '5');
      return memory('VmRSS');
    },
    [Symbol.asyncDispose]: operator[Symbol.asyncDispose],
  };
}

/** `ok`, or the error's code and message. */
export const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => ConnectError.from(error).message,
  );

export const toText = (file: Uint8Array): string => Buffer.from(file).toString('base64');

/** How long Healthy takes on a connection of its own, as Phantoscope calls it. @returns milliseconds */
export async function timeHealthy(operator: LimitedOperator): Promise<number> {
  const begun = performance.now();
  await operator.client().healthy({});
  return performance.now() - begun;
}

/** The same over and over, until `stop`. */
export function probe(operator: LimitedOperator): { stop(): Promise<number[]> } {
  const times: number[] = [];
  let stopped = false;
  const probing = (async () => {
    while (!stopped) {
      times.push(await timeHealthy(operator));
      await Bun.sleep(10);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await probing;
      return times;
    },
  };
}
