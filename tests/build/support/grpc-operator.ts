/** Calls an operator with grpc-js: a client that shares nothing with the program. */
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const proto = join(import.meta.dir, '../../../proto/omnisearch/operator.proto');

type Callback = (error: grpc.ServiceError | null, reply: Record<string, unknown>) => void;

/** @returns the reply of `method`, as proto-loader reads it */
export async function callOperator(
  port: number,
  method: 'Identity' | 'Execute',
  request: object,
): Promise<Record<string, unknown>> {
  const loaded = grpc.loadPackageDefinition(loadSync(proto, { keepCase: true })) as unknown as {
    omnisearch: { Operator: grpc.ServiceClientConstructor };
  };
  const client = new loaded.omnisearch.Operator(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  );
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const back: Callback = (error, reply) => (error ? reject(error) : resolve(reply));
    (client as unknown as Record<string, (request: object, back: Callback) => void>)[method]?.(
      request,
      back,
    );
    return await promise;
  } finally {
    client.close();
  }
}
