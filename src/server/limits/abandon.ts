import { constants, type ServerHttp2Stream } from 'node:http2';
import type { NodeResponse } from '../http-types.ts';

/** Gives an answer up that cannot be given, or not to its end, so that the client knows it: over HTTP/1.1 its connection is closed. */
export function abandon(response: NodeResponse): void {
  if ('stream' in response) reset(response.stream);
  else response.destroy();
}

/**
 * Bun 1.4.5 ends a stream before it resets it, and one that has ended it resets no more: an answer without a header, for which
 * a client waits for ever, or half of one that looks whole. So here it is not ended.
 */
function reset(stream: ServerHttp2Stream): void {
  // Its connection is gone, and it with it.
  if (stream.destroyed || !stream.session) return;
  const { writableFinished } = stream;
  if (!writableFinished) stream._final = (done) => done();
  stream.close(writableFinished ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR);
}
