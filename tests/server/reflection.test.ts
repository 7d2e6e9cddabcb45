import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:http2';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { ServerReflection } from '../../src/gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from './start-server.ts';

let running: TestServer;
beforeAll(async () => {
  running = await startServer();
});
afterAll(() => running[Symbol.asyncDispose]());

type Question = {
  case: 'fileContainingSymbol' | 'fileByFilename' | 'listServices' | 'allExtensionNumbersOfType';
  value: string;
};

const asking = {
  v1: async (...questions: Question[]) => {
    const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: running.url }));
    const requests = questions.map((messageRequest) => ({ host: 'h', messageRequest }));
    return await Array.fromAsync(client.serverReflectionInfo(iterate(requests)));
  },
  v1alpha: async (...questions: Question[]) => {
    const transport = createGrpcTransport({ baseUrl: running.url });
    const client = createClient(ServerReflectionAlpha, transport);
    const requests = questions.map((messageRequest) => ({ host: 'h', messageRequest }));
    return await Array.fromAsync(client.serverReflectionInfo(iterate(requests)));
  },
};

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

describe.each(Object.entries(asking))('%s', (_, ask) => {
  test('services are listed', async () => {
    const [reply] = await ask({ case: 'listServices', value: '' });
    expect(reply?.validHost).toBe('h');
    expect(reply?.originalRequest?.messageRequest.case).toBe('listServices');
    expect(reply?.messageResponse.value).toMatchObject({
      service: [
        { name: 'grpc.health.v1.Health' },
        { name: 'grpc.reflection.v1.ServerReflection' },
        { name: 'grpc.reflection.v1alpha.ServerReflection' },
        { name: 'omnisearch.Operator' },
      ],
    });
  });

  test('a symbol leads to a file that describes the calls in full', async () => {
    for (const value of [
      'omnisearch.Operator',
      'omnisearch.Operator.Execute',
      'omnisearch.IdentityReply',
      'omnisearch.IdentityReply.metricType',
    ]) {
      const [reply] = await ask({ case: 'fileContainingSymbol', value });
      if (reply?.messageResponse.case !== 'fileDescriptorResponse') throw new Error(value);
      const file = reply.messageResponse.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      );
      const registry = createFileRegistry({ $typeName: FileDescriptorSetSchema.typeName, file });
      const execute = registry.getService('omnisearch.Operator')?.method.execute;
      expect(execute?.input.fields.map((field) => field.name)).toEqual(['urls', 'datas']);
    }
  });

  test('a file by its name, an unknown one, an unknown symbol, several questions on one stream', async () => {
    const replies = await ask(
      { case: 'fileByFilename', value: 'grpc/health/v1/health.proto' },
      { case: 'fileByFilename', value: 'no.proto' },
      { case: 'fileContainingSymbol', value: 'no.Such' },
      { case: 'allExtensionNumbersOfType', value: 'omnisearch.Vector' },
    );
    expect(replies.map((reply) => reply.messageResponse.case)).toEqual([
      'fileDescriptorResponse',
      'errorResponse',
      'errorResponse',
      'allExtensionNumbersResponse',
    ]);
    expect(replies[1]?.messageResponse.value).toMatchObject({ errorCode: 5 });
  });
});

test('thousands of questions in one packet, others are answered in between', async () => {
  const session = connect(running.url);
  session.on('error', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  const count = 10_000;
  const failed = 37;
  let between = 0;
  const timer = setInterval(() => between++, 1);
  stream.end(Buffer.alloc(5 * count));
  await eventually(() => bytes >= failed * count);
  clearInterval(timer);
  expect(between).toBeGreaterThan(20);
  session.destroy();
});

test('a stream that stays open does not hold up the end', async () => {
  const own = await startServer({ config: { drainTimeout: 5000 } });
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: own.url }));
  const hold = Promise.withResolvers<void>();
  async function* forever(): AsyncGenerator<{ messageRequest: Question }> {
    yield { messageRequest: { case: 'listServices', value: '' } };
    await hold.promise;
  }
  const seen: unknown[] = [];
  const streaming = (async () => {
    for await (const reply of client.serverReflectionInfo(forever())) seen.push(reply);
  })().catch(() => {});
  await eventually(() => seen.length === 1);
  const begun = performance.now();
  expect(await own.server.close()).toBe(0);
  expect(performance.now() - begun).toBeLessThan(1000);
  hold.resolve();
  await streaming;
});
