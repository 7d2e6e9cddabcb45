/**
 * A gRPC client of its own process: `Execute` with one picture a call, so many calls at a time on one connection. Requests
 * are made once and replies are not parsed but counted, so that the client takes as little of the machine as it can.
 */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { ExecuteRequestSchema } from '../../src/gen/omnisearch/operator_pb.ts';

export interface ClientOrder {
  readonly port: number;
  /** JPEGs. */
  readonly files: readonly string[];
  readonly concurrency: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Numbers in a vector. */
  readonly dimension: number;
}

export interface ClientFigures {
  /** Milliseconds of each call that began and ended within the time. */
  readonly times: readonly number[];
  readonly callsPerSecond: number;
  /** Means of what the operator says in `server-timing`, milliseconds by stage. */
  readonly stages: Readonly<Record<string, number>>;
  /** Processor time while it measured, in cores. */
  readonly cores: number;
}

/** @throws Error when a call fails */
export async function runClient(order: ClientOrder): Promise<ClientFigures> {
  const bodies = order.files.map((file) => framed(readFileSync(file)));
  const session = connect(`http://127.0.0.1:${order.port}`);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  session.on('error', failed.reject);
  const times: number[] = [];
  const sums: Record<string, number> = {};
  let next = 0;
  const load = async (until: number, keep: boolean): Promise<void> => {
    while (performance.now() < until) {
      const begun = performance.now();
      const timing = await call(session, bodies[next++ % bodies.length]!, order.dimension);
      if (!keep) continue;
      times.push(performance.now() - begun);
      for (const [stage, ms] of stagesOf(timing)) sums[stage] = (sums[stage] ?? 0) + ms;
    }
  };
  const all = (until: number, keep: boolean): Promise<unknown> => {
    const loads = Array.from({ length: order.concurrency }, () => load(until, keep));
    return Promise.race([Promise.all(loads), failed.promise]);
  };
  await all(performance.now() + 1000 * order.warmUpSeconds, false);
  const begun = performance.now();
  const cpu = process.cpuUsage();
  await all(begun + 1000 * order.seconds, true);
  const taken = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  session.close();
  const mean = ([stage, sum]: [string, number]) => [stage, sum / times.length] as const;
  return {
    times,
    callsPerSecond: (1000 * times.length) / taken,
    stages: Object.fromEntries(Object.entries(sums).map(mean)),
    cores: (user + system) / 1000 / taken,
  };
}

function framed(file: Buffer): Buffer {
  const request = create(ExecuteRequestSchema, { datas: [file.toString('base64')] });
  const message = toBinary(ExecuteRequestSchema, request);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** @returns the `server-timing` of a reply that holds a vector */
function call(session: ClientHttp2Session, body: Buffer, dimension: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stream = session.request({
    ':method': 'POST',
    ':path': '/omnisearch.Operator/Execute',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let timing = '';
  let status: unknown;
  let bytes = 0;
  stream.on('response', (headers) => {
    timing = String(headers['server-timing'] ?? '');
    status = headers['grpc-status'];
  });
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  stream.on('trailers', (trailers) => {
    status = trailers['grpc-status'];
  });
  stream.on('error', reject);
  stream.on('close', () => {
    if (status === '0' && bytes > 4 * dimension) resolve(timing);
    else reject(new Error(`a call ended with gRPC status ${status} and ${bytes} bytes`));
  });
  stream.end(body);
  return promise;
}

/** `decode;dur=1.2, infer;dur=3.4` by stage. */
const stagesOf = (timing: string): [string, number][] =>
  [...timing.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, stage = '', ms]) => [stage, Number(ms)]);
