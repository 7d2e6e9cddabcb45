/** The entry of a decoding thread: takes an image, answers with its tensor or with what is wrong with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { OperatorError, toOperatorError } from '../errors.ts';
import { freeBuffer } from '../free-buffer.ts';
import { createDecoders } from './decoders.ts';
import type { EncodedImage } from './pipeline.ts';
import { prepareImage } from './prepare-image.ts';
import { warmUp } from './warm-up.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const settings = workerData as WorkerSettings;
// At once, not with the first image: compiling the JPEG codec takes longer than decoding a photo.
const decoders = createDecoders();
let asked = false;
let waiting: PromiseWithResolvers<void> | undefined;

/**
 * Pixels lie outside the garbage collector's own heap, which sees them only roughly: left to itself it lets gigabytes of
 * them stand. So it is called whenever about so many bytes have been decoded since the last time.
 */
const collectAfterBytes = 64 * 1024 * 1024;
let decodedBytes = 0;

function askForMemory(bytes: number): Promise<void> {
  decodedBytes += bytes;
  waiting = Promise.withResolvers<void>();
  port?.postMessage({ type: 'ask', bytes } satisfies FromWorker);
  return waiting.promise;
}

async function prepare(encoded: EncodedImage): Promise<FromWorker> {
  try {
    const image = await prepareImage(encoded, settings, await decoders, askForMemory);
    return { type: 'prepared', image };
  } catch (thrown) {
    const { code, message, cause } = toOperatorError(thrown);
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : cause;
    return { type: 'failed', code, message, cause: text === undefined ? undefined : String(text) };
  }
}

/** Before the answer: with it the grant is given back, and then the memory should be free as well. */
async function collect(): Promise<void> {
  if (decodedBytes < collectAfterBytes) return;
  decodedBytes = 0;
  // In a turn of its own: on the stack of this one something may still hold the pixels.
  await new Promise((resolve) => setTimeout(resolve));
  Bun.gc(true);
}

async function answer(encoded: EncodedImage): Promise<void> {
  const message = await prepare(encoded);
  if (typeof encoded === 'object' && 'holds' in encoded) freeBuffer(encoded.bytes.buffer);
  await collect();
  const transfer = message.type === 'prepared' ? [message.image.tensor.buffer as ArrayBuffer] : [];
  port?.postMessage(message, transfer);
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'prepare') {
    asked = true;
    void answer(message.image);
  } else if (message.type === 'grant') waiting?.resolve();
  else waiting?.reject(new OperatorError('CANCELLED', 'the client gave up'));
});

// In a later turn: an image that has come meanwhile does better without.
const ready = await decoders;
setTimeout(() => {
  if (!asked) void warmUp(settings, ready);
});
