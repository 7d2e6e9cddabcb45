/** HTTP as Node's servers give it, and as Connect's handlers take it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { ContextValues } from '@connectrpc/connect';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

export type RequestHandler = (request: NodeRequest, response: NodeResponse) => void;

/** HTTP as Connect's handlers see it. */
export interface UniversalRequest {
  httpVersion: string;
  url: string;
  method: string;
  header: Headers;
  body: AsyncIterable<Uint8Array>;
  signal: AbortSignal;
  contextValues: ContextValues;
}

export interface UniversalReply {
  status: number;
  header?: Headers;
  body?: AsyncIterable<Uint8Array>;
  trailer?: Headers;
}

export interface RpcHandler {
  readonly service: { readonly typeName: string };
  readonly method: { readonly name: string; readonly methodKind: string };
  (request: UniversalRequest): Promise<UniversalReply>;
}
