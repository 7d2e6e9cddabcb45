/** Log lines: JSON for programs, coloured text for people. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;

/** Told what was chosen and why, in a sentence for the log; what somebody should look into is a warning. */
export type Tell = (message: string, level?: 'info' | 'warn') => void;

export type ClosingLog = Log & {
  /** Waits until what was logged has been read, but not for ever. */
  close(): Promise<void>;
};

export interface LogOptions {
  /** undefined: pretty when `fd` is a terminal, else json. */
  readonly format: 'json' | 'pretty' | undefined;
  readonly level: string;
  /** 1 for the server, whose output the log is; 2 where the output is something else. */
  readonly fd: 1 | 2;
}

/** Characters of lines that may wait for whoever reads them; further lines are dropped. */
const maxWaiting = 4 << 20;

/** How long the end waits for the last lines to be read, in milliseconds. */
const lastLines = 1000;

/** Lines are written without waiting for their reader: `close` before the process exits. */
export async function createLog(options: LogOptions): Promise<ClosingLog> {
  const output = options.fd === 1 ? process.stdout : process.stderr;
  const format = options.format ?? (output.isTTY ? 'pretty' : 'json');
  const destination = createDestination(output, (lines) =>
    log.warn({ lines }, 'log lines were dropped: they were not read fast enough'),
  );
  const settings = {
    level: options.level,
    // The host and the process id are known to whoever collects the lines.
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const log = pino(settings, format === 'json' ? destination : await pretty(destination, output));
  return Object.assign(log, { close: destination.close });
}

interface Destination {
  write(line: string): void;
  close(): Promise<void>;
}

/**
 * A reader that stands still (a full disk, a stopped collector) or has gone away (`| head`) must not stop the calls: what
 * it does not take waits in memory, and more than that is dropped.
 */
function createDestination(
  output: NodeJS.WriteStream,
  tellDropped: (lines: number) => void,
): Destination {
  let waiting = 0;
  let dropped = 0;
  let allRead: (() => void) | undefined;
  output.on('error', () => {});

  function write(line: string): void {
    if (waiting > maxWaiting) {
      dropped++;
      return;
    }
    waiting += line.length;
    output.write(line, () => {
      waiting -= line.length;
      if (waiting === 0 && dropped > 0) {
        const lines = dropped;
        dropped = 0;
        tellDropped(lines);
      }
      if (waiting === 0) allRead?.();
    });
  }

  // Not by the callback of an empty write: Bun 1.4.5 calls that at once, and the last lines were lost.
  async function close(): Promise<void> {
    if (waiting === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    allRead = resolve;
    const timer = setTimeout(resolve, lastLines);
    await promise;
    clearTimeout(timer);
  }

  return { write, close };
}

async function pretty(
  destination: Destination,
  { isTTY }: NodeJS.WriteStream,
): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty');
  const format = prettyFactory({
    colorize: isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line) => destination.write(String(format(line))) };
}
