/**
 * `serve`: listens at once, answers calls when the model is warm, ends well when it is told to. It ends by itself when no
 * engine is left: a supervisor can start it anew, and nothing else would help.
 */
import type { Config } from '../config/options.ts';
import type { Embedder } from '../embedder/embedder.ts';
import { ConfigError } from '../errors.ts';
import { type ClosingLog, createLog, type Log } from '../log.ts';
import { createServer } from '../server/create-server.ts';
import { commit, version } from '../version.ts';
import type { CommandContext } from './command.ts';
import { assertRegistrable, keepRegistered } from './keep-registered.ts';
import { explainListenError } from './listen-error.ts';
import { explainOutOfMemory } from './out-of-memory.ts';
import { shutdownSignal } from './shutdown-signal.ts';
import { warnOfEndpoint } from './warn-of-endpoint.ts';

export async function serve(context: CommandContext): Promise<number> {
  const { logFormat: format, logLevel: level } = context.config;
  const log = await createLog({ format, level, fd: 1 });
  try {
    return await serveUntilTold(context, log);
  } finally {
    await log.close();
  }
}

async function serveUntilTold(
  { config, warnings, idleOnCpu, nameAsGiven, checkOptions, openEmbedder }: CommandContext,
  log: ClosingLog,
): Promise<number> {
  // A start that is sure to fail does not take calls first.
  assertRegistrable(config);
  await checkOptions(config);
  for (const warning of warnings) log.warn(warning);
  const opening = Promise.withResolvers<Embedder>();
  const server = createServer({ config, log, version, embedder: opening.promise });
  const isReady = (): boolean => server.state === 'ready';
  const shutdown = shutdownSignal(log);
  surviveStrayErrors(log, () => server.state === 'starting');

  try {
    const { address, port } = await server.listen();
    log.info({ address, port, version, commit }, `listening on ${address}`);
  } catch (error) {
    log.fatal(nameAsGiven(explainListenError(error, config)));
    return 1;
  }
  void warnOfEndpoint(config.endpoint, (fields, message) => log.warn(fields, nameAsGiven(message)));

  openEmbedder({ ...config, idleOnCpu }, (message, level = 'info') =>
    log[level](nameAsGiven(message)),
  ).then(opening.resolve, opening.reject);
  const start = await Promise.race([
    opening.promise.catch((error: unknown) => ({ error })),
    shutdown.promise,
  ]);
  if (start === 'shutdown') {
    // The model is still being opened; its threads end with the process.
    await server.close();
    log.info('ended');
    return 0;
  }
  if ('error' in start) {
    await server.close();
    if (start.error instanceof ConfigError) throw start.error;
    const memory = explainOutOfMemory(start.error);
    if (memory !== undefined) log.fatal(memory);
    else log.fatal({ err: start.error }, 'the model could not be opened');
    return 1;
  }
  tellReady(start, config, log);
  const registration = await keepRegistered(config, start, isReady, {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, nameAsGiven(message)),
  });
  const end = await Promise.race([shutdown.promise, start.lost]);
  if (end !== 'shutdown')
    log.fatal({ err: end }, 'the model can no longer be run: ending, to be started again');
  const [cut] = await Promise.all([server.close(), registration?.stop()]);
  if (cut > 0) log.warn({ calls: cut }, nameAsGiven('calls were cut off (--drain-timeout)'));
  await start.close();
  log.info('ended');
  return end === 'shutdown' ? 0 : 1;
}

function tellReady({ info, manifest }: Embedder, config: Config, log: Log): void {
  const { modelId, precision, engine, device, threads } = info;
  if (!info.trained)
    log.warn(
      { modelId },
      'the weights are untrained: the vectors mean nothing (for trying out only)',
    );
  log.info(
    {
      endpoint: config.endpoint.text,
      ...info,
      dimension: manifest.dimension,
      readyMs: Math.round(performance.now()),
    },
    `ready: ${modelId}, ${precision} on ${device} with ${engine}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  );
}

/** What one request breaks outside its own promise chain must not end the others. */
function surviveStrayErrors(log: ClosingLog, starting: () => boolean): void {
  const stray = (err: unknown): void => {
    log.error({ err }, 'an error outside any call');
    if (starting()) void log.close().finally(() => process.exit(1));
  };
  process.on('uncaughtException', stray);
  process.on('unhandledRejection', stray);
}
