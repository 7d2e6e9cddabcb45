/** Whether calls are served: not before the model is warm, and no longer once the operator shuts down. */
import type { Embedder, EmbedderState } from '../embedder/embedder.ts';
import { OperatorError } from '../errors.ts';

/** While `recovering`, calls are taken and wait; balancers are told to ask another operator meanwhile. */
export type ServingState = EmbedderState | 'starting' | 'draining';

export interface Readiness {
  readonly state: ServingState;
  /** Undefined while the model is being loaded. */
  readonly embedder: Embedder | undefined;
  /** @throws OperatorError NOT_READY or DRAINING */
  serving(): Embedder;
  drain(): void;
  /** Fires when the operator begins to shut down. */
  readonly draining: AbortSignal;
  /** The state now, then every change of it, until `signal` fires or the operator drains. */
  changes(signal: AbortSignal): AsyncGenerator<ServingState, void, undefined>;
}

/** An engine that dies says so only in its embedder's state: those who watch look this often, in milliseconds. */
const lookEvery = 1000;

export function createReadiness(opening: Promise<Embedder>): Readiness {
  let embedder: Embedder | undefined;
  let failed = false;
  const draining = new AbortController();
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  opening.then(
    (opened) => {
      embedder = opened;
      wake();
    },
    () => {
      // Whoever opened the embedder reports why.
      failed = true;
      wake();
    },
  );

  function state(): ServingState {
    if (draining.signal.aborted) return 'draining';
    if (failed) return 'failed';
    return embedder?.state ?? 'starting';
  }

  async function pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => resolve();
    const timer = setTimeout(look, lookEvery);
    waiting.add(look);
    signal.addEventListener('abort', look, { once: true });
    await promise;
    clearTimeout(timer);
    waiting.delete(look);
    signal.removeEventListener('abort', look);
  }

  return {
    get state() {
      return state();
    },
    get embedder() {
      return embedder;
    },
    draining: draining.signal,
    serving() {
      const now = state();
      if (now === 'draining')
        throw new OperatorError('DRAINING', 'the operator is shutting down; ask another one');
      if (now === 'failed')
        throw new OperatorError('NOT_READY', 'the model can no longer be run; see the log');
      if (!embedder || now === 'starting')
        throw new OperatorError('NOT_READY', 'the model is still being loaded; try again shortly');
      return embedder;
    },
    drain() {
      draining.abort();
      wake();
    },
    async *changes(signal) {
      let last: ServingState | undefined;
      while (!signal.aborted) {
        const now = state();
        if (now !== last) yield now;
        last = now;
        if (now === 'draining') return;
        await pause(signal);
      }
    },
  };
}
