/** gRPC to an operator, as Phantoscope calls it: plaintext HTTP/2, one connection for a few calls, messages to 100 MiB. */
import { type CallOptions, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Operator } from '../gen/omnisearch/operator_pb.ts';
import { explainCall } from './explain-call.ts';

/** Both message limits of Phantoscope's own client. */
const maxMessageBytes = 100 * 1024 * 1024;

export interface Identity {
  readonly name: string;
  readonly endpoint: string;
  readonly type: string;
  readonly input: string;
  readonly output: string;
  readonly dimension: string;
  readonly metricType: string;
}

export interface IdentityAnswer {
  readonly identity: Identity;
  /** `x-model-id` of the reply: which model, precision and file; only this program says so. */
  readonly modelId: string | undefined;
  /** False where the operator says `x-model-trained: false`. */
  readonly trained: boolean;
}

export interface ExecuteAnswer {
  readonly nums: number;
  readonly vectors: readonly (readonly number[])[];
  readonly metadata: readonly { readonly url: string; readonly data: Uint8Array }[];
}

export interface OperatorClient {
  /** @throws Error in words that say what is wrong with the address, here and below */
  identity(): Promise<IdentityAnswer>;
  healthy(): Promise<string>;
  execute(request: { urls: string[]; datas: string[] }): Promise<ExecuteAnswer>;
  close(): void;
}

export interface OperatorClientOptions {
  readonly signal?: AbortSignal | undefined;
  /** For Identity and Healthy. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** For Execute, which may have to wait for others and fetch a URL. @default 60000 */
  readonly executeTimeoutMs?: number | undefined;
}

export type ConnectOperator = (endpoint: string, options: OperatorClientOptions) => OperatorClient;

/** A client of the operator at `host:port`; nothing is connected before the first call. */
export const connectOperator: ConnectOperator = (endpoint, options) => {
  const { signal, timeoutMs = 5000, executeTimeoutMs = 60_000 } = options;
  const baseUrl = `http://${endpoint}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  });
  const operator = createClient(Operator, transport);

  async function call<T>(
    name: string,
    limit: number,
    run: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    try {
      return await run({ timeoutMs: limit, ...(signal && { signal }) });
    } catch (thrown) {
      signal?.throwIfAborted();
      throw new Error(await explainCall(endpoint, name, thrown, limit), { cause: thrown });
    }
  }

  return {
    identity: () =>
      call('Identity', timeoutMs, async (options) => {
        let headers = new Headers();
        const reply = await operator.identity(
          {},
          {
            ...options,
            onHeader: (received) => {
              headers = received;
            },
          },
        );
        const { name, type, input, output, dimension, metricType } = reply;
        return {
          identity: { name, endpoint: reply.endpoint, type, input, output, dimension, metricType },
          modelId: headers.get('x-model-id') ?? undefined,
          trained: headers.get('x-model-trained') !== 'false',
        };
      }),
    healthy: () =>
      call('Healthy', timeoutMs, async (options) => (await operator.healthy({}, options)).healthy),
    execute: (request) =>
      call('Execute', executeTimeoutMs, async (options) => {
        const reply = await operator.execute(request, options);
        return {
          nums: Number(reply.nums),
          vectors: reply.vectors.map((vector) => vector.element),
          metadata: reply.metadata.map(({ url, data }) => ({ url, data })),
        };
      }),
    close: () => sessionManager.abort(),
  };
};
