import type { Command } from '../command.ts';
import { measureAgreement } from '../measure-agreement.ts';
import { type Option, optionHelp, parseOptions, required, text } from '../options.ts';
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
  help: 'how activations are clipped; default auto: what serves images held out best',
  parse: methodsOf,
};

const integer = (help: string, least: number): Option<number> => ({
  placeholder: 'N',
  help,
  parse: (value) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < least)
      throw new Error(`needs a whole number from ${least}, not ${JSON.stringify(value)}`);
    return Number(value);
  },
});

const table = {
  model: required(text('FILE', 'resnet50.onnx, with its manifest beside it')),
  images: text('FOLDER', 'photographs, also in folders below; default: pictures made by code'),
  method,
  count: integer('most images, of which a fifth only judges; default 40', 5),
  seed: integer('which images of the folder, or which pictures; default 1', 0),
};

export const quantizeCommand: Command = {
  summary: 'add an int8 variant to a prepared model',
  help: () => `Usage: npm run model -- quantize --model FILE [options]\n\n${optionHelp(table)}`,
  run: async (args, signal) => {
    const options = parseOptions(table, args);
    // Not console.error, which Bun prints in red on a terminal.
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    const { model, images, method = methods, count = 40, seed = 1 } = options;
    const written = { model: model!, images, methods: method, count, seed, tell, signal };
    await quantiseModel({ ...written, measureAgreement });
  },
};
