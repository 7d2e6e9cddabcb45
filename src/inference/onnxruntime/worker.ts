/** The thread onnxruntime lives on: one session, batches in the order in which they come. */
import { parentPort, workerData } from 'node:worker_threads';
import { type AdapterChoice, type AdapterInfo, openDevice } from '../webgpu/adapter.ts';
import { openSession, type SessionOptions } from './session.ts';

/** What the thread is started with; with `gpu` it runs on WebGPU, else on WASM. */
export interface WorkerOptions extends SessionOptions {
  readonly gpu?: AdapterChoice | undefined;
}

/** To the thread. `destroyDevice` is how tests lose a GPU. */
export type WorkerRequest =
  | { readonly type: 'run'; readonly id: number; readonly inputs: readonly Float32Array[] }
  | { readonly type: 'destroyDevice' };

/** From the thread: ready, could not start, the end of a batch, or the end of the GPU. */
export type WorkerReply =
  | { readonly type: 'ready'; readonly adapter: AdapterInfo | undefined }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'rows'; readonly id: number; readonly rows: Float32Array[] }
  | { readonly type: 'error'; readonly id: number; readonly message: string }
  | { readonly type: 'lost'; readonly message: string };

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const reply = (message: WorkerReply): void => port.postMessage(message);
const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

try {
  const options = workerData as WorkerOptions;
  const gpu = options.gpu ? await openDevice(options.gpu) : undefined;
  void gpu?.device.lost.then(({ reason, message }) =>
    reply({ type: 'lost', message: `the GPU device was lost (${reason}): ${message}` }),
  );
  const session = await openSession(options, gpu);
  // Compiles what is compiled late, and touches the memory.
  await session.run([new Float32Array(options.shape.reduce((size, side) => size * side, 1))]);
  // onnxruntime runs one batch at a time; the next one's message waits in this chain.
  let last: Promise<unknown> = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    if (request.type === 'destroyDevice') return gpu?.device.destroy();
    const { id } = request;
    last = last
      .then(() => session.run(request.inputs))
      .then((rows) => reply({ type: 'rows', id, rows }))
      .catch((error: unknown) => reply({ type: 'error', id, message: text(error) }));
  });
  reply({ type: 'ready', adapter: gpu?.info });
} catch (error) {
  reply({ type: 'failed', message: text(error) });
}
