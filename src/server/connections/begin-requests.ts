/** What every request of a connection goes through, before anybody looks at what it asks. */
import type { ServerResponse } from 'node:http';
import type { Log } from '../../log.ts';
import type { NodeRequest, RequestHandler } from '../http-types.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import type { Connection } from './connections.ts';
import { endAfterAnswer, takeTheRest } from './early-answer.ts';
import type { Exchanges } from './exchanges.ts';
import { reasonOf } from './reason-of.ts';

export interface BeginOptions {
  readonly log: Log;
  readonly loop: LoopScheduler;
  readonly exchanges: Exchanges;
  readonly connectionOf: (request: NodeRequest) => Connection | undefined;
  readonly onRequest: RequestHandler;
  readonly isDraining: () => boolean;
}

/** So many calls of a connection are begun as they come; one packet can bring hundreds, and the others wait their turn. */
const promptCalls = 4;

/** Over HTTP/1.1 a client may ask on without reading what is answered, and each open answer takes some kilobytes: so many. */
const maxPipelined = 1024;

/** Counts it, sees to what is left of it once it is answered, and hands it on in its turn. */
export function beginRequests(options: BeginOptions): RequestHandler {
  const { log, loop, exchanges, onRequest } = options;
  return (request, response) => {
    // Of one that is cut off; without a listener it would be an error outside any call.
    request.on('error', (err) => log.debug(reasonOf(err), 'a request failed'));
    const connection = options.connectionOf(request);
    if (!('stream' in request) && connection && connection.calls >= maxPipelined) {
      if (!request.socket.destroyed)
        log.debug(`a connection with ${maxPipelined} open requests is closed`);
      return void request.socket.destroy();
    }
    const end = connection?.begin();
    response.once('close', () => end?.());
    if ('stream' in request) endAfterAnswer(request);
    else {
      exchanges.begin(request, response as ServerResponse);
      if (options.isDraining()) exchanges.closeBehindLast(request.socket);
      takeTheRest(request, response);
    }
    if (connection && connection.calls > promptCalls && !loop.hasTime('piece'))
      loop.schedule('piece', () => {
        if (!response.closed) onRequest(request, response);
      });
    else onRequest(request, response);
  };
}
