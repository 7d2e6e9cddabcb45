/** Plain HTTP beside the calls: a table from path to method to handler. */
import type { Log } from '../../log.ts';
import type { NodeRequest, NodeResponse } from '../http-types.ts';

export interface RouteRequest {
  readonly headers: Headers;
}

export type RouteHandler = (request: RouteRequest) => Response | Promise<Response>;

/** `{ '/healthz': { GET: handler } }`; HEAD is answered by GET's handler, its body left out. */
export type Routes = Readonly<Record<string, Readonly<Record<string, RouteHandler>>>>;

/** The handler, or the reply that says why there is none. */
export function findRoute(routes: Routes, method: string, path: string): RouteHandler {
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!methods) return () => json(404, { error: `there is nothing at ${path.slice(0, 200)}` });
  const name = method === 'HEAD' ? 'GET' : method;
  const handler = Object.hasOwn(methods, name) ? methods[name] : undefined;
  const allow = Object.keys(methods).join(', ');
  return handler ?? (() => json(405, { error: `${path} takes ${allow}` }, { allow }));
}

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  });
}

/** Runs the handler and sends its reply; of one that throws, the cause goes to the log. */
export async function answerRoute(
  handler: RouteHandler,
  request: NodeRequest,
  response: NodeResponse,
  log: Log,
): Promise<void> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (!name.startsWith(':') && value !== undefined) headers.set(name, String(value));
  let reply: Response;
  try {
    reply = await handler({ headers });
  } catch (err) {
    log.error({ err, path: request.url?.slice(0, 200) }, 'a route failed');
    reply = json(500, { error: 'internal error' });
  }
  await sendResponse(reply, request, response);
}

/** Writes a web-standard response to a Node one. */
async function sendResponse(
  reply: Response,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const body = Buffer.from(await reply.arrayBuffer());
  response.statusCode = reply.status;
  for (const [name, value] of reply.headers) {
    // What CORS has said of it holds as well.
    const said = name === 'vary' && response.getHeader('vary');
    response.setHeader(name, said ? `${said}, ${value}` : value);
  }
  const bodiless = reply.status === 204 || reply.status === 304;
  if (!bodiless) response.setHeader('content-length', body.byteLength);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}
