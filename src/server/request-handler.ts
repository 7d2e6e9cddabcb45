/** Where a request goes: a browser's preflight, one of the RPCs, a route, or nowhere. */
import { OperatorError } from '../errors.ts';
import { type CallOptions, handleCall } from './call.ts';
import type { Cors } from './cors.ts';
import { encodeGrpcMessage } from './grpc-message.ts';
import type { NodeRequest, NodeResponse, RpcHandler } from './http-types.ts';
import type { Readiness } from './readiness.ts';
import { findRoute, json, type Routes, sendResponse } from './routes.ts';

export type RequestHandler = (request: NodeRequest, response: NodeResponse) => void;

export interface RequestHandlerOptions extends CallOptions {
  readonly rpcs: readonly (RpcHandler & { readonly requestPath: string })[];
  readonly routes: Routes;
  readonly cors: Cors;
  readonly readiness: Readiness;
  readonly maxMessageBytes: number;
}

export function createRequestHandler(options: RequestHandlerOptions): RequestHandler {
  const { log, readiness } = options;
  const rpcs = new Map(options.rpcs.map((rpc) => [rpc.requestPath, rpc]));

  async function handle(request: NodeRequest, response: NodeResponse): Promise<void> {
    if (readiness.state === 'draining' && request.httpVersionMajor === 1)
      response.setHeader('connection', 'close');
    if (options.cors(request, response)) return;
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const rpc = rpcs.get(path);
    if (rpc) return handleCall(rpc, request, response, options);
    const { method = '' } = request;
    if (isGrpc(request)) sendUnimplemented(path, response);
    else await handleRoute(findRoute(options.routes, method, path), request, response, options);
    log.debug({ method, path: path.slice(0, 200), status: response.statusCode }, 'request');
  }

  return (request, response) => {
    response.on('error', (err) => log.debug({ err }, 'a reply could not be sent'));
    handle(request, response).catch((err: unknown) => {
      log.error({ err }, 'a request failed');
      response.destroy();
    });
  };
}

const isGrpc = ({ headers }: NodeRequest): boolean =>
  /^application\/grpc\b/i.test(headers['content-type'] ?? '');

/** A method that is not there, in gRPC's own words: status UNIMPLEMENTED (12) without a message. */
function sendUnimplemented(path: string, response: NodeResponse): void {
  response.statusCode = 200;
  response.setHeader('content-type', 'application/grpc');
  response.setHeader('grpc-status', '12');
  response.setHeader('grpc-message', encodeGrpcMessage(`there is no method ${path.slice(0, 200)}`));
  response.end();
}

async function handleRoute(
  handler: ReturnType<typeof findRoute>,
  request: NodeRequest,
  response: NodeResponse,
  { log, maxMessageBytes }: RequestHandlerOptions,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (!name.startsWith(':') && value !== undefined) headers.set(name, String(value));
  let reply: Response;
  try {
    reply = await handler({
      method: request.method ?? '',
      path,
      query: new URLSearchParams(query),
      headers,
      body: () => readBody(request, maxMessageBytes),
      signal: gone.signal,
    });
  } catch (err) {
    if (gone.signal.aborted) return;
    log.error({ err, path }, 'a route failed');
    reply = json(500, { error: 'internal error' });
  }
  await sendResponse(reply, request, response);
}

async function readBody(request: NodeRequest, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > most) {
      const message = `the request is larger than ${most} bytes (--max-message-bytes)`;
      throw new OperatorError('MESSAGE_TOO_LARGE', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
