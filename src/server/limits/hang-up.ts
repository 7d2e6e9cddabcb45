import type { NodeResponse } from '../http-types.ts';
import { abandon } from './abandon.ts';

/** How long a client has to read an error, in milliseconds. */
const lastWords = 1000;

/** A client that does not read its reply does not keep the call, and the connection with it, for ever. */
export function hangUp(response: NodeResponse): void {
  // The end of every call fires its signal.
  if (response.closed) return;
  // Over HTTP/1.1 it is given its connection when the answers to earlier requests are over; before, no client could read it.
  if (response.socket === null) response.once('socket', () => begin(response));
  else begin(response);
}

function begin(response: NodeResponse): void {
  const timer = setTimeout(() => abandon(response), lastWords);
  response.once('close', () => clearTimeout(timer));
}
