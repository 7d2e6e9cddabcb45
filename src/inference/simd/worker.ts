/** A computing thread: opens its part of the engine, then takes part in the images it is sent to. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, ThreadData, ToThread } from './threads/messages.ts';
import { type OpenThread, openThread } from './threads/open-thread.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const { index } = workerData as ThreadData;
const reply = (message: FromThread): void => port.postMessage(message);

let thread: OpenThread | undefined;

port.on('message', (message: ToThread) => {
  if (message.type === 'join') {
    thread?.join(message.context);
    reply({ type: 'left', context: message.context });
    return;
  }
  try {
    thread = openThread({ ...message, index });
    reply({ type: 'opened' });
  } catch (error) {
    reply({ type: 'failed', message: String(error) });
  }
});
