import type { NodeResponse } from '../http-types.ts';
import { abandon } from './abandon.ts';

/** How long a client has to read an error, in milliseconds. */
const lastWords = 1000;

/** A client that does not read its reply does not keep the call, and the connection with it, for ever. */
export function hangUp(response: NodeResponse): void {
  // The end of every call fires its signal.
  if (response.closed) return;
  const timer = setTimeout(() => abandon(response), lastWords);
  response.once('close', () => clearTimeout(timer));
}
