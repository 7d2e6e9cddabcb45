/** One GET request over a connection that is already open. */
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { OperatorError } from '../../errors.ts';
import type { TargetUrl } from './target-url.ts';

/** Status line and header fields of a response, bytes. */
const maxHeaderBytes = 16_384;

/** Responses with a status of 1xx; 100 Continue and 103 Early Hints come once, if at all. */
const maxInterimResponses = 8;

/**
 * Every header that is sent: no cookies, no credentials, no referrer, nothing of the client's. An image does not get
 * smaller by HTTP compression, so none is asked for; where it comes nevertheless, it is unpacked.
 */
const fixedHeaders = {
  'User-Agent': 'resnet50-encoder',
  Accept: 'image/*, application/octet-stream;q=0.9, */*;q=0.5',
  'Accept-Encoding': 'identity',
  Connection: 'close',
};

/**
 * Settles when the header of the response is complete; its body is left unread. Neither redirects nor proxies of the
 * environment are followed. Destroying `socket` stops everything.
 *
 * @throws OperatorError URL_UNREACHABLE when the connection ends; URL_BAD_RESPONSE when what comes is not HTTP
 */
export function httpGet(socket: Socket, target: TargetUrl): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = request({
    // Without `agent`, the connection is this one and no other.
    createConnection: () => socket,
    method: 'GET',
    path: target.path,
    setHost: false,
    headers: { Host: target.authority, ...fixedHeaders },
    maxHeaderSize: maxHeaderBytes,
  });
  outgoing.on('response', resolve);
  let interim = 0;
  outgoing.on('information', () => {
    interim += 1;
    if (interim <= maxInterimResponses) return;
    reject(badResponse(`${target.host} sends interim responses without end`, undefined));
    socket.destroy();
  });
  outgoing.on('upgrade', () =>
    reject(badResponse(`${target.host} answered with status 101`, undefined)),
  );
  outgoing.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'HPE_HEADER_OVERFLOW') {
      reject(badResponse(`the header of ${target.host} is over ${maxHeaderBytes} bytes`, cause));
    } else if (cause.code?.startsWith('HPE_')) {
      reject(badResponse(`${target.host} did not answer in HTTP/1`, cause));
    } else {
      const message = `${target.host} closed the connection before it answered`;
      reject(new OperatorError('URL_UNREACHABLE', message, { cause }));
    }
  });
  outgoing.end();
  return promise;
}

const badResponse = (message: string, cause: unknown) =>
  new OperatorError('URL_BAD_RESPONSE', message, { cause });
