/** What supervisors ask over plain HTTP: is it alive, may it be sent calls. */
import type { Readiness } from '../readiness.ts';
import { json, type Routes } from './routes.ts';

export function createProbes(readiness: Readiness): Routes {
  const report = (): Record<string, unknown> => {
    const info = readiness.embedder?.info;
    return {
      state: readiness.state,
      ...(info && { modelId: info.modelId, trained: info.trained }),
    };
  };
  return {
    '/healthz': { GET: () => json(200, { status: 'alive', ...report() }) },
    '/readyz': {
      GET: () => {
        const ready = readiness.state === 'ready';
        const status = ready ? 'ready' : 'not ready';
        // RFC 9110, 10.2.3: when to ask again.
        return json(
          ready ? 200 : 503,
          { status, ...report() },
          ready ? {} : { 'retry-after': '1' },
        );
      },
    },
  };
}
