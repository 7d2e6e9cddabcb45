/** Lets pages of the allowed origins call from a browser. https://fetch.spec.whatwg.org/#http-cors-protocol */
import { cors as connectCors } from '@connectrpc/connect';
import type { NodeRequest, NodeResponse } from '../http-types.ts';

const allowedHeaders = [...connectCors.allowedHeaders, 'X-Request-Id', 'Grpc-Accept-Encoding'];

const exposedHeaders = [
  ...connectCors.exposedHeaders,
  'X-Request-Id',
  'X-Model-Id',
  'X-Model-Trained',
  'Server-Timing',
];

/** Sets the headers. @returns whether the request is a preflight, which asks for nothing else */
export type Cors = (request: NodeRequest, response: NodeResponse) => boolean;

export function createCors(origins: readonly string[]): Cors {
  const any = origins.includes('*');
  const allowed = new Set(origins.map((origin) => origin.toLowerCase()));
  return (request, response) => {
    const { origin } = request.headers;
    if (!any) response.setHeader('vary', 'Origin');
    const answer = any ? '*' : origin !== undefined && allowed.has(origin.toLowerCase()) && origin;
    const preflight =
      request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
    if (origin !== undefined && answer) {
      response.setHeader('access-control-allow-origin', answer);
      if (preflight) {
        response.setHeader('access-control-allow-methods', 'GET, POST');
        response.setHeader('access-control-allow-headers', allowedHeaders.join(', '));
        response.setHeader('access-control-max-age', '7200');
      } else response.setHeader('access-control-expose-headers', exposedHeaders.join(', '));
    }
    return preflight;
  };
}
