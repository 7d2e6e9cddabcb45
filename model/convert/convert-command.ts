import type { Command } from '../command.ts';
import { commandHelp, integer, parseOptions, required, text } from '../options.ts';
import { convertModel } from './convert-model.ts';

const table = {
  model: required(text('FILE', 'resnet50.onnx; its manifest lies beside it')),
  images: text(
    'FOLDER',
    'photographs to measure the difference with, also in folders below (default: pictures drawn by code)',
  ),
  count: integer('most images to measure with (default: 8)'),
};

export const convertCommand: Command = {
  summary: 'add an fp16 variant to a prepared model, for GPUs with half precision',
  help: () =>
    commandHelp({
      usage: 'npm run model -- convert --model FILE',
      about:
        'Adds an fp16 variant to a model: half the size, for GPUs that compute in half precision. On a CPU fp32 runs instead.',
      table,
    }),
  run: async (args, signal) => {
    const { model, images, count = 8 } = parseOptions(table, args);
    // Not console.error, which Bun prints in red on a terminal.
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    await convertModel({ model: model!, images, count, tell, signal });
  },
};
