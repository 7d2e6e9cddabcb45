/** The thread onnxruntime lives on: one session, one batch at a time, answers in the order of the requests. */
import { parentPort, workerData } from 'node:worker_threads';
import { openSession, type SessionOptions } from './session.ts';

/** To the thread: a batch. */
export interface RunRequest {
  readonly id: number;
  readonly inputs: readonly Float32Array[];
}

/** From the thread: ready, failed to start, or the end of a batch. */
export type WorkerReply =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'rows'; readonly id: number; readonly rows: Float32Array[] }
  | { readonly type: 'error'; readonly id: number; readonly message: string };

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const reply = (message: WorkerReply): void => port.postMessage(message);

try {
  const session = await openSession(workerData as SessionOptions);
  port.on('message', (request: RunRequest) => {
    session.run(request.inputs).then(
      (rows) => reply({ type: 'rows', id: request.id, rows }),
      (error) => reply({ type: 'error', id: request.id, message: String(error) }),
    );
  });
  reply({ type: 'ready' });
} catch (error) {
  reply({ type: 'failed', message: String(error) });
}
