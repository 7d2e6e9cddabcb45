import { existsSync, statSync } from 'node:fs';
import { ConfigError } from '../src/errors.ts';
import type { Command } from './command.ts';
import { createProgress } from './download/progress.ts';
import { assertWritable } from './files/folders.ts';
import { measureAgreement } from './measure-agreement.ts';
import {
  commandHelp,
  flag,
  type OptionValues,
  parseOptions,
  required,
  seconds,
  sha256,
  text,
} from './options.ts';
import { prepareModel } from './prepare.ts';
import { isAddress } from './weights/locate-weights.ts';

const table = {
  out: required(text('FOLDER', 'where resnet50.onnx and resnet50.json go')),
  weights: text(
    'FILE|URL|untrained',
    "the weights: Keras HDF5 or torchvision safetensors, also gzipped; untrained makes random ones, for trying out (default: the tutorial's, downloaded)",
  ),
  sha256: sha256('checksum that the file of weights must have'),
  licence: text('TEXT', 'licence of the weights; it is written into resnet50.json'),
  'cache-dir': text(
    'FOLDER',
    'where downloads are kept (default: resnet50-encoder in XDG_CACHE_HOME or ~/.cache)',
  ),
  offline: flag('never use the network; take downloads from the cache'),
  'connect-timeout': seconds('give up a download that does not begin for this long (default: 10)'),
  'stall-timeout': seconds('give up a download that stands still for this long (default: 5)'),
  'time-limit': seconds('give up a download that takes longer in all (default: no limit)'),
};

export const prepareCommand: Command = {
  summary: 'turn weights into resnet50.onnx and its manifest',
  help: () =>
    commandHelp({
      usage: 'npm run model -- prepare --out FOLDER',
      about:
        'Turns weights into a model: resnet50.onnx, and its manifest resnet50.json, which says how images are prepared for it.',
      table,
    }),
  run: async (args, signal) => {
    const options = parseOptions(table, args);
    // Not console.error, which Bun prints in red on a terminal.
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    const { weights, 'cache-dir': cacheDir, offline, licence } = options;
    if (weights === 'untrained' && options.sha256)
      throw new ConfigError('--sha256: untrained weights are made, not read, and have none');
    assertFolder(options.out!);
    for (const name of idleOptions(options))
      tell(`warning: --${name} has no effect: --weights ${weights} is not downloaded`);
    const { onnxPath, manifest } = await prepareModel({
      out: options.out!,
      sha256: options.sha256,
      connectTimeoutMs: options['connect-timeout'],
      stallTimeoutMs: options['stall-timeout'],
      timeLimitMs: options['time-limit'],
      progress: createProgress(process.stderr),
      measureAgreement,
      ...{ tell, weights, cacheDir, offline, licence, signal },
    });
    console.log(onnxPath);
    if (!manifest.trained) tell('This model is UNTRAINED: its vectors mean nothing.');
  },
};

/** Said before anything is downloaded. */
function assertFolder(out: string): void {
  if (existsSync(out) && !statSync(out).isDirectory())
    throw new ConfigError(`--out ${out}: that is a file; give the folder that the model goes into`);
  assertWritable(out, `--out ${out}`);
}

const ofDownloads = [
  'cache-dir',
  'offline',
  'connect-timeout',
  'stall-timeout',
  'time-limit',
] as const;

const idleOptions = (options: OptionValues<typeof table>): readonly string[] =>
  options.weights === undefined || isAddress(options.weights)
    ? []
    : ofDownloads.filter((name) => options[name] !== undefined);
