import type { Command } from '../command.ts';
import { type Option, optionHelp, parseOptions, required, text } from '../options.ts';
import { convertModel } from './convert-model.ts';

const count: Option<number> = {
  placeholder: 'N',
  help: 'most images to measure the drift with; default 8',
  parse: (value) => {
    if (!/^[1-9]\d{0,5}$/.test(value))
      throw new Error(`needs a whole number from 1, not ${JSON.stringify(value)}`);
    return Number(value);
  },
};

const table = {
  model: required(text('FILE', 'resnet50.onnx, with its manifest beside it')),
  images: text('FOLDER', 'photographs for the drift, also in folders below; default: made by code'),
  count,
};

export const convertCommand: Command = {
  summary: 'add an fp16 variant to a prepared model, for GPUs with half precision',
  help: () => `Usage: npm run model -- convert --model FILE [options]\n\n${optionHelp(table)}`,
  run: async (args, signal) => {
    const { model, images, count = 8 } = parseOptions(table, args);
    // Not console.error, which Bun prints in red on a terminal.
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    await convertModel({ model: model!, images, count, tell, signal });
  },
};
