/** Log lines: JSON for programs, coloured text for people. */
import { type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;

export interface LogOptions {
  /** undefined: pretty when `fd` is a terminal, else json. */
  readonly format: 'json' | 'pretty' | undefined;
  readonly level: string;
  /** 1 for the server, whose output the log is; 2 where the output is something else. */
  readonly fd: 1 | 2;
}

export async function createLog(options: LogOptions): Promise<Log> {
  const tty = options.fd === 1 ? process.stdout.isTTY : process.stderr.isTTY;
  const format = options.format ?? (tty ? 'pretty' : 'json');
  const settings = {
    level: options.level,
    // The host and the process id are known to whoever collects the lines.
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Written at once: the last line before an exit is often the one that matters.
  const destination = pino.destination({ fd: options.fd, sync: true });
  // A reader that has gone away (`| head`) is no reason to stop serving.
  destination.on('error', () => {});
  if (format === 'json') return pino(settings, destination);
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: tty,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return pino(settings, { write: (line: string) => destination.write(pretty(line)) });
}
