/** Where a request goes: a browser's preflight, one of the RPCs, a route, or nowhere. */
import { Code, ConnectError } from '@connectrpc/connect';
import { isGrpc } from '../call-record.ts';
import { type CallOptions, handleCall } from '../calls/call.ts';
import type { Rpc } from '../calls/rpcs.ts';
import { sendGrpcError } from '../errors/grpc-status.ts';
import { refuse } from '../errors/refuse.ts';
import type { NodeRequest, NodeResponse, RequestHandler } from '../http-types.ts';
import { abandon } from '../limits/abandon.ts';
import type { Places } from '../limits/places.ts';
import type { Cors } from './cors.ts';
import { answerRoute, findRoute, type Routes } from './routes.ts';

export interface RequestHandlerOptions extends CallOptions {
  readonly rpcs: readonly Rpc[];
  /** What supervisors ask, and whatever else there is; the replies of the latter are large, and fewer may be unread at once. */
  readonly probes: Routes;
  readonly probePlaces: Places;
  readonly routes: Routes;
  readonly routePlaces: Places;
  readonly cors: Cors;
}

export function createRequestHandler(options: RequestHandlerOptions): RequestHandler {
  const { log } = options;
  const rpcs = new Map(options.rpcs.map((rpc) => [rpc.path, rpc]));

  async function handle(request: NodeRequest, response: NodeResponse): Promise<void> {
    const path = pathOf(request);
    const { method = '' } = request;
    const rpc = method === 'OPTIONS' ? undefined : rpcs.get(path);
    // One read of a socket brings thousands of them, and all would be answered before anybody else is.
    if (!rpc) await options.loop.ready('call');
    if (response.closed || response.destroyed) return;
    const isPreflight = options.cors(request, response);
    if (rpc) return handleCall(rpc, request, response, options);
    const isProbe = Object.hasOwn(options.probes, path);
    const places = isProbe ? options.probePlaces : options.routePlaces;
    const routes = isProbe ? options.probes : options.routes;
    if (!enter(places, response, options)) refuse(request, response, places.full);
    else if (isPreflight) sendNothing(response);
    else if (isGrpc(request.headers['content-type'])) sendUnimplemented(path, request, response);
    else await answerRoute(findRoute(routes, method, path), request, response, log);
    log.debug({ method, path: path.slice(0, 200), status: response.statusCode }, 'request');
  }

  return (request, response) => {
    response.on('error', (err) => log.debug({ err }, 'a reply could not be sent'));
    handle(request, response).catch((err: unknown) => {
      log.error({ err }, 'a request failed');
      abandon(response);
    });
  };
}

/** A reply that nobody reads is not kept for ever. @returns whether there was a place */
function enter(places: Places, response: NodeResponse, { requestTimeout }: CallOptions): boolean {
  const place = places.enter(() => abandon(response));
  if (!place) return false;
  const timer = setTimeout(() => abandon(response), requestTimeout);
  response.once('close', () => {
    clearTimeout(timer);
    place.leave();
  });
  return true;
}

/** Proxies, and all who speak to one, write the target with scheme and host (RFC 9112, 3.2.2). */
function pathOf({ url = '' }: NodeRequest): string {
  const [path = ''] = url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1);
  return path === '' ? '/' : path;
}

/** To a preflight: the headers say all. */
function sendNothing(response: NodeResponse): void {
  response.statusCode = 204;
  response.end();
}

/** A method that is not there. */
function sendUnimplemented(path: string, request: NodeRequest, response: NodeResponse): void {
  const message = `there is no method ${path.slice(0, 200)}`;
  sendGrpcError(request, response, new ConnectError(message, Code.Unimplemented));
}
