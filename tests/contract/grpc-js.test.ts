/** grpc-js with proto-loader: Node's own gRPC client, with stubs made from the .proto at run time. */
import { expect } from 'bun:test';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { AnySchema, anyUnpack } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { BadRequestSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { contractTest, sharedOperator } from './contract-test.ts';
import { largePicture, norm, smallPicture } from './pictures.ts';

const operator = sharedOperator({ msPerImage: 50 });

interface Reply {
  readonly nums: string;
  readonly vectors: readonly { readonly element: readonly number[] }[];
}
type Callback<T> = (error: grpc.ServiceError | null, reply: T) => void;
interface Stub extends grpc.Client {
  Execute(
    request: object,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    back: Callback<Reply>,
  ): grpc.ClientUnaryCall;
  Healthy(request: object, back: Callback<{ healthy: string }>): grpc.ClientUnaryCall;
  Identity(request: object, back: Callback<Record<string, string>>): grpc.ClientUnaryCall;
}

const proto = join(import.meta.dir, '../../proto/omnisearch/operator.proto');

function stub(options: grpc.ChannelOptions = {}): Stub {
  const definition = loadSync(proto, { keepCase: true, longs: String, defaults: true });
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    omnisearch: { Operator: new (...args: unknown[]) => Stub };
  };
  const limits = { 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 };
  const address = `127.0.0.1:${operator().port}`;
  return new loaded.omnisearch.Operator(address, grpc.credentials.createInsecure(), {
    ...limits,
    ...options,
  });
}

const execute = (
  client: Stub,
  request: object,
  options: grpc.CallOptions = {},
): { call: grpc.ClientUnaryCall; reply: Promise<Reply> } => {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const call = client.Execute(request, new grpc.Metadata(), options, (error, reply) =>
    error ? reject(error) : resolve(reply),
  );
  return { call, reply: promise };
};

const failure = (promise: Promise<unknown>): Promise<grpc.ServiceError> =>
  promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: grpc.ServiceError) => error,
  );

contractTest('all three calls', async () => {
  const client = stub();
  const healthy = await new Promise((resolve) => client.Healthy({}, (_, reply) => resolve(reply)));
  expect(healthy).toEqual({ healthy: 'healthy' });
  const identity = await new Promise((resolve) =>
    client.Identity({}, (_, reply) => resolve(reply)),
  );
  expect(identity).toMatchObject({ name: 'resnet50_encoder', dimension: '2048', metricType: 'L2' });
  const reply = await execute(client, { datas: [smallPicture(1), smallPicture(2)] }).reply;
  expect(reply.nums).toBe('2');
  expect(norm(reply.vectors[1]?.element ?? [])).toBeCloseTo(1, 5);
  client.close();
});

contractTest('a request of 60 MB', async () => {
  const client = stub();
  const reply = await execute(client, { datas: [largePicture()] }).reply;
  expect(reply.vectors[0]?.element).toHaveLength(2048);
  client.close();
});

contractTest('gzip in the request', async () => {
  const client = stub({ 'grpc.default_compression_algorithm': 2 });
  const reply = await execute(client, { datas: [1, 2, 3, 4].map(smallPicture) }).reply;
  expect(reply.vectors).toHaveLength(4);
  client.close();
});

contractTest('keepalive pings during a long call are answered', async () => {
  const client = stub({ 'grpc.keepalive_time_ms': 100, 'grpc.keepalive_timeout_ms': 1000 });
  const reply = await execute(client, { datas: Array(20).fill(smallPicture(1)) }).reply;
  expect(reply.vectors).toHaveLength(20);
  client.close();
});

contractTest('deadline', async () => {
  const client = stub();
  const { reply } = execute(
    client,
    { datas: Array(100).fill(smallPicture(1)) },
    { deadline: Date.now() + 150 },
  );
  expect((await failure(reply)).code).toBe(grpc.status.DEADLINE_EXCEEDED);
  client.close();
});

contractTest('cancellation', async () => {
  const client = stub();
  const metadata = new grpc.Metadata();
  metadata.set('x-request-id', 'grpc-js-cancel');
  const { promise, reject } = Promise.withResolvers<never>();
  const request = { datas: Array(100).fill(smallPicture(1)) };
  const call = client.Execute(request, metadata, {}, (error) => reject(error));
  setTimeout(() => call.cancel(), 150);
  expect((await failure(promise)).code).toBe(grpc.status.CANCELLED);
  const line = await operator().logged((l) => l.requestId === 'grpc-js-cancel');
  expect(line.code).toBe('canceled');
  client.close();
});

contractTest('an error names each bad item in grpc-status-details-bin', async () => {
  const client = stub();
  const named = async (datas: string[]): Promise<string[]> => {
    const error = await failure(execute(client, { datas }).reply);
    expect(error.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(error.details).toStartWith('datas[1]: ');
    const [details] = error.metadata.get('grpc-status-details-bin');
    return violations(details as Buffer);
  };
  const [good, bad] = [smallPicture(1), operatorRejects()];
  expect(await named([good, bad])).toEqual(['datas[1]']);
  expect(await named([good, bad, good, bad])).toEqual(['datas[1]', 'datas[3]']);
  // So many only that the client takes them.
  expect(await named([good, ...Array<string>(60).fill(bad)])).toHaveLength(16);
  client.close();
});

/** Text that is no image to the executable, and a word to the fake. */
const operatorRejects = (): string => 'FAKE_FAIL:BASE64_INVALID';

/** The fields named by BadRequest in a google.rpc.Status: field 3 of it repeats google.protobuf.Any. */
function violations(status: Buffer): string[] {
  const fields: string[] = [];
  for (let at = 0; at < status.length; ) {
    const tag = status[at++] ?? 0;
    if ((tag & 7) === 0) {
      while ((status[at++] ?? 0) & 0x80);
      continue;
    }
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = status[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (!(byte & 0x80)) break;
    }
    if (tag >> 3 === 3) {
      const any = fromBinary(AnySchema, status.subarray(at, at + length));
      const bad = anyUnpack(any, BadRequestSchema);
      fields.push(...(bad?.fieldViolations.map(({ field }) => field) ?? []));
    }
    at += length;
  }
  return fields;
}
