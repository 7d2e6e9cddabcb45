/** An answer may be given before its request was read to its end; many clients read it only when they have sent all. */
import type { IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest } from 'node:http2';
import type { NodeResponse } from '../http-types.ts';

/** Over HTTP/1.1, what comes after the answer is thrown away. */
export function takeTheRest(request: IncomingMessage, response: NodeResponse): void {
  response.once('finish', () => request.resume());
}

/** How long a client has to read an early answer: curl that is still sending takes an immediate reset for a failure. */
const linger = 500;

/** Over HTTP/2 the stream stays open for the rest; RFC 9113, 8.1, lets the server say that it does not want it. */
export function endAfterAnswer(request: Http2ServerRequest): void {
  // A stream nobody has read from is reset the moment it is answered, before the client has read the answer.
  request.read(0);
  request.stream.once('finish', () => {
    if (!request.readableEnded) setTimeout(endHalfOpen, linger, request);
  });
}

function endHalfOpen(request: Http2ServerRequest): void {
  if (!request.readableEnded && !request.stream.destroyed)
    request.stream.close(constants.NGHTTP2_NO_ERROR);
}
