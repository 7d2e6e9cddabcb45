/** The entry of a decoding thread: takes an image, answers with its tensor or with what is wrong with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { OperatorError, toOperatorError } from '../errors.ts';
import { createDecoders } from './decoders.ts';
import type { EncodedImage } from './pipeline.ts';
import { prepareImage } from './prepare-image.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const settings = workerData as WorkerSettings;
// At once, not with the first image: compiling the codecs takes longer than a photo.
const decoders = createDecoders();
let waiting: PromiseWithResolvers<void> | undefined;

const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer);

function askForMemory(bytes: number): Promise<void> {
  waiting = Promise.withResolvers<void>();
  post({ type: 'ask', bytes });
  return waiting.promise;
}

async function prepare(encoded: EncodedImage): Promise<void> {
  try {
    const image = await prepareImage(encoded, settings, await decoders, askForMemory);
    post({ type: 'prepared', image }, [image.tensor.buffer as ArrayBuffer]);
  } catch (thrown) {
    const { code, message, cause } = toOperatorError(thrown);
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : cause;
    post({
      type: 'failed',
      code,
      message,
      cause: text === undefined ? undefined : String(text),
    });
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'prepare') void prepare(message.image);
  else if (message.type === 'grant') waiting?.resolve();
  else waiting?.reject(new OperatorError('CANCELLED', 'the client gave up'));
});
