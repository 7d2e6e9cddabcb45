/** A decoding thread that does as it is told by the image's text: for what a real one does not do on demand. */
import { parentPort } from 'node:worker_threads';
import type { FromWorker, ToWorker } from '../../src/image/worker-messages.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const post = (message: FromWorker): void => port.postMessage(message);
let answer = (): void => {};
let deaf = false;

/**
 * Counts down within WebAssembly, where nothing can end a thread: longer than any test waits for it, and not for ever, since
 * it takes a core from the tests that follow.
 */
const countDown = (from: bigint): void => {
  const code =
    '0061736d0100000001050160017e0003020100070501016600000a12' + // f(from: i64)
    '0110000340200042017d220050450d000b0b';
  const module = new WebAssembly.Module(Buffer.from(code, 'hex'));
  (new WebAssembly.Instance(module).exports.f as (from: bigint) => void)(from);
};

const prepared = (value: number): FromWorker => ({
  type: 'prepared',
  image: { tensor: new Float32Array([value]), decodeMs: 0, preprocessMs: 0 },
});

port.on('message', (message: ToWorker) => {
  if (message.type === 'grant') return answer();
  if (message.type === 'refuse') {
    if (deaf) for (;;);
    return post({ type: 'failed', code: 'CANCELLED', message: 'refused', cause: undefined });
  }
  const [command = '', argument = '0', held = '50'] = String(message.image).split(' ');
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
  // ask: that many bytes, held for 50 ms or as long as is said; sink: held for seconds; deaf: no answer when they are refused.
  deaf = command === 'deaf';
  answer =
    command === 'sink'
      ? () => countDown(12_000_000_000n)
      : () => void setTimeout(() => post(prepared(value)), Number(held));
  post({ type: 'ask', bytes: value });
});
