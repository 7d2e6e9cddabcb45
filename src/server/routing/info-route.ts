/** `GET /info`: what the page tells of the operator beyond Identity, for any program that wants to know. */
import type { Readiness } from '../readiness.ts';
import { json, type Routes } from './routes.ts';

/** What is known of the model is left out while it is being loaded. */
export function createInfoRoute(readiness: Readiness, version: string): Routes {
  return {
    '/info': {
      GET: () => {
        const { state, embedder } = readiness;
        return json(200, { version, state, inFlight: embedder?.inFlight ?? 0, ...embedder?.info });
      },
    },
  };
}
