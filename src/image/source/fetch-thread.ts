/**
 * Fetching on a thread of its own. A hostile server can make the reading of its answer costly: a megabyte in chunks of one
 * byte keeps Bun's parser busy for half a second. That must not be the thread that answers the network.
 */
import type { Worker } from 'node:worker_threads';
import { abortError, OperatorError } from '../../errors.ts';
import { startWorker } from '../../threads.ts';
import type { FetchFile, FetchFileOptions } from './fetch-file.ts';
import type { FetchedFile } from './fetch-memory.ts';
import type { FromFetchWorker, ToFetchWorker } from './fetch-messages.ts';

export interface FetchThread {
  readonly fetchFile: FetchFile;
  close(): Promise<void>;
}

/** What tests put in the place of a real thread. */
export interface FetchThreadSeams {
  spawn?(): Worker;
  /** How long the thread may take to answer that it has given up a fetch. @default 5000 */
  readonly abortTimeMs?: number;
}

/** The thread starts with the first URL; when it crashes or hangs, what it had in hand fails and the next starts another. */
export function createFetchThread(
  options: FetchFileOptions,
  seams: FetchThreadSeams = {},
): FetchThread {
  const spawn = seams.spawn ?? (() => startWorker('image/source/fetch-worker', options));
  let running: RunningThread | undefined;

  return {
    async fetchFile(url, signal) {
      if (signal.aborted) throw abortError(signal);
      if (!running || running.lost) running = runThread(spawn(), seams.abortTimeMs ?? 5_000);
      return running.fetchFile(url, signal);
    },
    async close() {
      await running?.end(new OperatorError('DRAINING', 'the operator is shutting down'));
    },
  };
}

interface RunningThread {
  readonly fetchFile: FetchFile;
  readonly lost: boolean;
  /** Fails what is in hand with `error` and ends the thread. */
  end(error: OperatorError): Promise<void>;
}

function runThread(worker: Worker, abortTimeMs: number): RunningThread {
  const pending = new Map<number, PromiseWithResolvers<FetchedFile>>();
  let lastId = 0;
  let lost = false;
  const post = (message: ToFetchWorker): void => {
    if (!lost) worker.postMessage(message);
  };

  async function end(error: OperatorError): Promise<void> {
    if (lost) return;
    lost = true;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    await worker.terminate();
  }
  const crash = (cause: unknown): void =>
    void end(new OperatorError('INTERNAL', 'internal error', { cause }));

  worker.on('error', crash);
  worker.on('exit', (code) => crash(new Error(`the fetching thread ended (${code})`)));
  worker.on('message', (message: FromFetchWorker) => {
    const { id } = message;
    const waiting = pending.get(id);
    pending.delete(id);
    if (message.type === 'failed') {
      const { code, message: text, cause } = message;
      waiting?.reject(new OperatorError(code, text, cause === undefined ? {} : { cause }));
    } else {
      waiting?.resolve({ bytes: message.bytes, release: () => post({ type: 'released', id }) });
    }
  });

  async function fetchFile(url: string, signal: AbortSignal): Promise<FetchedFile> {
    lastId += 1;
    const id = lastId;
    const answer = Promise.withResolvers<FetchedFile>();
    pending.set(id, answer);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = (): void => {
      post({ type: 'abort', id });
      const hung = new Error(`the fetching thread did not answer for ${abortTimeMs} ms`);
      timer = setTimeout(() => crash(hung), abortTimeMs);
    };
    signal.addEventListener('abort', abort, { once: true });
    post({ type: 'fetch', id, url });
    try {
      const file = await answer.promise;
      if (!signal.aborted) return file;
      file.release();
      throw abortError(signal);
    } catch (error) {
      throw signal.aborted ? abortError(signal) : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  return {
    get lost() {
      return lost;
    },
    fetchFile,
    end,
  };
}
