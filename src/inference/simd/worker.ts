/** A computing thread: loads its share of the weights, then takes part in the images it is sent to. */
import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { bind } from './fp32/bind.ts';
import type { Fp32Kernels } from './fp32/kernels.ts';
import { loadWeights } from './fp32/load-weights.ts';
import type { FromThread, ThreadData, ToThread } from './threads/messages.ts';
import { runImage, type StepToRun } from './threads/run-image.ts';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a thread');
const { index } = workerData as ThreadData;
const reply = (message: FromThread): void => port.postMessage(message);

let join: ((context: number) => void) | undefined;

port.on('message', (message: ToThread) => {
  if (message.type === 'join') {
    join?.(message.context);
    reply({ type: 'left', context: message.context });
    return;
  }
  try {
    join = open(message);
    reply({ type: 'opened' });
  } catch (error) {
    reply({ type: 'failed', message: String(error) });
  }
});

function open({ plan, memory, kernels: module, slice }: ToThread & { type: 'open' }) {
  const words = new Int32Array(memory.buffer);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = instance.exports as unknown as Fp32Kernels;
  const scratch = plan.scratch.address + index * plan.scratch.bytes;
  const steps: StepToRun[] = plan.steps.map((step) => ({
    chunks: step.chunks,
    run: bind(step, { kernels, memory, scratch }),
  }));
  const fd = openSync(slice.path, 'r');
  try {
    const counter = plan.control.loadCounter / 4;
    for (;;) {
      const load = plan.loads[Atomics.add(words, counter, 1)];
      if (!load) break;
      loadWeights(load, { fd, slice }, kernels, memory, scratch);
    }
  } finally {
    closeSync(fd);
  }
  return (context: number): void => {
    const address = plan.contexts.address + context * plan.contexts.bytes;
    runImage(words, steps, address, plan.control.abort / 4);
  };
}
