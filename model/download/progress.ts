/** How far a download is: a bar on a terminal, a line now and then elsewhere (a log, a container's output). */
import { Presets, SingleBar } from 'cli-progress';

export interface DownloadProgress {
  /** @param total - bytes to come, where the server says so */
  start(total: number | undefined): void;
  /** @param received - bytes so far */
  update(received: number): void;
  stop(): void;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Chooses by what the stream is. */
export function createProgress(stream: NodeJS.WriteStream): DownloadProgress {
  return stream.isTTY ? createBar(stream) : createLines((line) => stream.write(`${line}\n`));
}

function createBar(stream: NodeJS.WriteStream): DownloadProgress {
  let bar: SingleBar | undefined;
  let size = '';
  return {
    start(total) {
      const format =
        total === undefined
          ? 'downloading, {received} so far'
          : 'downloading [{bar}] {received} of {size}, {eta_formatted} left';
      size = megabytes(total ?? 0);
      bar = new SingleBar({ stream, format, hideCursor: true }, Presets.shades_classic);
      bar.start(total ?? 1, 0, { received: megabytes(0), size });
    },
    update: (received) => bar?.update(received, { received: megabytes(received), size }),
    stop: () => bar?.stop(),
  };
}

/** A line for every tenth of the way, or for every 10 MB where the way's length is unknown. */
export function createLines(write: (line: string) => void): DownloadProgress {
  let size: number | undefined;
  let step = 0;
  let next = 0;
  return {
    start(total) {
      size = total;
      step = total === undefined ? 10e6 : total / 10;
      next = step;
    },
    update(received) {
      if (received < next) return;
      next = (Math.floor(received / step) + 1) * step;
      write(
        size === undefined
          ? `downloaded ${megabytes(received)}`
          : `downloaded ${megabytes(received)} of ${megabytes(size)} (${Math.floor((100 * received) / size)} %)`,
      );
    },
    stop: () => {},
  };
}
