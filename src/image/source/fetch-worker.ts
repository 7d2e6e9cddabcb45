/** The entry of the fetching thread: takes URLs, answers with files. */
import { parentPort, workerData } from 'node:worker_threads';
import { toOperatorError } from '../../errors.ts';
import { createFetchFile, type FetchFileOptions } from './fetch-file.ts';
import type { FromFetchWorker, ToFetchWorker } from './fetch-messages.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const fetchFile = createFetchFile(workerData as FetchFileOptions);
const fetching = new Map<number, AbortController>();
const held = new Map<number, () => void>();

const post = (message: FromFetchWorker, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

async function run(id: number, url: string): Promise<void> {
  const controller = new AbortController();
  fetching.set(id, controller);
  try {
    const { bytes, release } = await fetchFile(url, controller.signal);
    held.set(id, release);
    post({ type: 'file', id, bytes }, [bytes.buffer]);
  } catch (thrown) {
    const { code, message, cause } = toOperatorError(thrown);
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : cause;
    post({
      type: 'failed',
      id,
      code,
      message,
      cause: text === undefined ? undefined : String(text),
    });
  } finally {
    fetching.delete(id);
  }
}

port.on('message', (message: ToFetchWorker) => {
  const { id } = message;
  if (message.type === 'fetch') void run(id, message.url);
  else if (message.type === 'abort') fetching.get(id)?.abort();
  else {
    held.get(id)?.();
    held.delete(id);
  }
});
