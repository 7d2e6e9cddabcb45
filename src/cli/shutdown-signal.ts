import type { ClosingLog } from '../log.ts';

/** Settles at the first SIGTERM or SIGINT; the second one ends the program at once. */
export function shutdownSignal(log: ClosingLog): { readonly promise: Promise<'shutdown'> } {
  const { promise, resolve } = Promise.withResolvers<'shutdown'>();
  let told = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (told) {
      log.warn(`${signal} again: ending at once`);
      void log.close().finally(() => process.exit(1));
      return;
    }
    told = true;
    log.info(`${signal}: no new calls; running ones are finished`);
    resolve('shutdown');
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return { promise };
}
