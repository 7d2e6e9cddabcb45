/**
 * A small operator on grpc-js, whose every answer a test can change while it runs; as a program, what an "image" of
 * v0.2's stand-in runs: `bun stub-operator.ts HOST:PORT [untrained|foreign]`.
 */
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const proto = join(import.meta.dir, '../../proto/omnisearch/operator.proto');
const loaded = grpc.loadPackageDefinition(
  loadSync(proto, { keepCase: true, defaults: true, arrays: true }),
) as unknown as {
  omnisearch: { Operator: { service: grpc.ServiceDefinition } };
};

type Reply = Record<string, unknown>;
/** What is answered: a reply, an error, or nothing at all. */
type Answer = Reply | Error | 'hang';

export interface StubOperator {
  readonly endpoint: string;
  readonly port: number;
  identity: Reply;
  /** Reply headers of Identity. */
  headers: Record<string, string>;
  healthy: Answer;
  identityAnswer: Answer | undefined;
  execute: (request: { urls: string[]; datas: string[] }) => Answer;
  readonly calls: { Execute: number; Healthy: number; Identity: number };
  readonly requests: { urls: string[]; datas: string[] }[];
  stop(): Promise<void>;
}

export async function startStubOperator(
  options: { host?: string; port?: number } = {},
): Promise<StubOperator> {
  const { host = '127.0.0.1', port = 0 } = options;
  const server = new grpc.Server({
    'grpc.max_receive_message_length': 100 * 1024 * 1024,
    'grpc.max_send_message_length': -1,
  });
  const reply =
    <Request>(name: keyof StubOperator['calls'], pick: (request: Request) => Answer) =>
    (call: grpc.ServerUnaryCall<Request, Reply>, back: grpc.sendUnaryData<Reply>): void => {
      stub.calls[name]++;
      const headers = new grpc.Metadata();
      if (name === 'Identity') {
        for (const [key, value] of Object.entries(stub.headers)) headers.set(key, value);
      }
      const answer = pick(call.request);
      if (answer === 'hang') return;
      if (answer instanceof Error) {
        back(answer);
        return;
      }
      call.sendMetadata(headers);
      back(null, answer);
    };
  server.addService(loaded.omnisearch.Operator.service, {
    Execute: reply('Execute', (request: { urls: string[]; datas: string[] }) => {
      stub.requests.push(request);
      return stub.execute(request);
    }),
    Healthy: reply('Healthy', () => stub.healthy),
    Identity: reply('Identity', () => stub.identityAnswer ?? stub.identity),
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, number) =>
      error ? reject(error) : resolve(number),
    );
  });
  const endpoint = `${host}:${bound}`;
  const vector = Array.from({ length: 2048 }, (_, index) => (index % 7) / 100);
  const stub: StubOperator = {
    endpoint,
    port: bound,
    identity: {
      name: 'resnet50_encoder',
      endpoint,
      type: 'encoder',
      input: 'image',
      output: 'vector',
      dimension: '2048',
      metricType: 'L2',
    },
    headers: { 'x-model-id': 'resnet50_encoder-fp32-0123456789abcdef' },
    healthy: { healthy: 'healthy' },
    identityAnswer: undefined,
    execute: ({ urls, datas }) => {
      const count = datas.length || urls.length;
      return { nums: count, vectors: Array.from({ length: count }, () => ({ element: vector })) };
    },
    calls: { Execute: 0, Healthy: 0, Identity: 0 },
    requests: [],
    stop: async () => server.forceShutdown(),
  };
  return stub;
}

if (import.meta.main) {
  const [address = '', kind] = process.argv.slice(2);
  const [host = '', port] = address.split(':');
  const operator = await startStubOperator({ host, port: Number(port) });
  // A container of v0.2 knows nothing of the address under which it is called.
  operator.identity = { ...operator.identity, endpoint: '127.0.0.1:80' };
  if (kind === 'untrained') operator.headers = { ...operator.headers, 'x-model-trained': 'false' };
  if (kind === 'foreign') {
    operator.headers = {};
    operator.identity = { ...operator.identity, name: 'vgg16', dimension: '512' };
  }
}
