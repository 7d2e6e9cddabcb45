/** A decoding thread that does as it is told by the image's text: for what a real one does not do on demand. */
import { parentPort } from 'node:worker_threads';
import type { FromWorker, ToWorker } from '../../src/image/worker-messages.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const post = (message: FromWorker): void => port.postMessage(message);
let answer = (): void => {};

const prepared = (value: number): FromWorker => ({
  type: 'prepared',
  image: { tensor: new Float32Array([value]), decodeMs: 0, preprocessMs: 0 },
});

port.on('message', (message: ToWorker) => {
  if (message.type === 'grant') return answer();
  if (message.type === 'refuse')
    return post({ type: 'failed', code: 'CANCELLED', message: 'refused', cause: undefined });
  const [command = '', argument = '0'] = String(message.image).split(' ');
  const value = Number(argument);
  if (command === 'crash') throw new Error('this thread crashes');
  if (command === 'exit') process.exit(3);
  if (command === 'spin') for (;;);
  if (command === 'fail')
    return post({ type: 'failed', code: 'IMAGE_CORRUPT', message: 'told to', cause: 'a stack' });
  if (command === 'echo') return post(prepared(value));
  // With memory: that many bytes, or 100 for so many milliseconds.
  if (command === 'ask-exit') {
    answer = () => process.exit(3);
    return post({ type: 'ask', bytes: value });
  }
  if (command === 'ask-spin') {
    answer = () => {
      for (;;);
    };
    return post({ type: 'ask', bytes: value });
  }
  if (command === 'hold') {
    answer = () => void setTimeout(() => post(prepared(value)), value);
    return post({ type: 'ask', bytes: 100 });
  }
  if (command === 'slow') return void setTimeout(() => post(prepared(value)), value);
  // ask: that many bytes, held for 50 ms.
  answer = () => void setTimeout(() => post(prepared(value)), 50);
  post({ type: 'ask', bytes: value });
});
