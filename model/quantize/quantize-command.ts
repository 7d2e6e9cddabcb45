import type { Command } from '../command.ts';
import { measureAgreement } from '../measure-agreement.ts';
import { commandHelp, integer, type Option, parseOptions, required, text } from '../options.ts';
import { quantiseModel } from './quantise-model.ts';
import type { Method } from './threshold.ts';

/** Tried by `auto`: which is best depends on the network, and takes a few images to find out. */
const methods: readonly Method[] = ['mse', { percentile: 99.99 }, { percentile: 99.999 }];

/** @throws Error whose message completes "--method: " */
export function methodsOf(value: string): readonly Method[] {
  if (value === 'auto') return methods;
  if (value !== 'mse' && value !== 'percentile')
    throw new Error(`needs auto, mse or percentile, not ${JSON.stringify(value)}`);
  return methods.filter((known) => (known === 'mse') === (value === 'mse'));
}

const method: Option<readonly Method[]> = {
  placeholder: 'auto|mse|percentile',
  help: 'how the largest activations are cut off; auto tries all and takes the best (default: auto)',
  parse: methodsOf,
};

const table = {
  model: required(text('FILE', 'resnet50.onnx; its manifest lies beside it')),
  images: text(
    'FOLDER',
    'photographs to measure with, also in folders below (default: pictures drawn by code)',
  ),
  method,
  count: integer('most images; a fifth of them only judges the result (default: 40)', 5),
  seed: integer(
    'a number that decides which images are taken, or which pictures drawn (default: 1)',
    0,
  ),
};

export const quantizeCommand: Command = {
  summary: 'add an int8 variant to a prepared model',
  help: () =>
    commandHelp({
      usage: 'npm run model -- quantize --model FILE',
      about:
        'Adds an int8 variant to a model: about half the time and a quarter of the size, and a little less exact (docs/int8.md).',
      table,
    }),
  run: async (args, signal) => {
    const options = parseOptions(table, args);
    // Not console.error, which Bun prints in red on a terminal.
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    const { model, images, method = methods, count = 40, seed = 1 } = options;
    const written = { model: model!, images, methods: method, count, seed, tell, signal };
    await quantiseModel({ ...written, measureAgreement });
  },
};
