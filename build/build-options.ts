/** What `npm run build` can be told. */
import {
  commandHelp,
  flag,
  type OptionValues,
  oneOf,
  parseOptions,
  text,
} from '../model/options.ts';
import { ConfigError } from '../src/errors.ts';
import { precisions } from '../src/model/manifest.ts';
import { targets } from './targets.ts';

const table = {
  model: text(
    'FILE',
    'ONNX file of the model; its manifest lies beside it (default: the model prepared before, or else made of the published weights)',
  ),
  weights: text(
    'FILE|URL|untrained',
    'make the model of these weights first: Keras HDF5 or torchvision safetensors; untrained makes random ones',
  ),
  'no-model': flag('put no model inside; it is then started with --model FILE'),
  precision: oneOf([...precisions, 'all'], 'variants to put inside (default: fp32)'),
  release: flag('refuse random (untrained) weights'),
  'allow-untrained': flag('with --release: take random weights all the same'),
  target: text(
    'TARGET[,TARGET]',
    `for other machines, written as dist/resnet50-encoder-TARGET: all, or of ${targets.map(({ name }) => name).join(', ')} (default: this machine)`,
  ),
  out: text('FILE', 'write the executable here instead, and nothing else'),
  commit: text('ID', 'commit that --version prints (default: that of the repository)'),
  'cache-dir': text(
    'FOLDER',
    'where downloads and prepared models are kept (default: resnet50-encoder in XDG_CACHE_HOME or ~/.cache)',
  ),
  offline: flag('never use the network'),
};

export type BuildCommandOptions = OptionValues<typeof table>;

export const buildHelp = (): string =>
  commandHelp({
    usage: 'npm run build --',
    about:
      'Writes dist/resnet50-encoder, one executable with the model inside, its bill of materials (.cdx.json) and SHA256SUMS.',
    table,
  });

/** @throws ConfigError that lists everything wrong at once */
export function parseBuildOptions(args: readonly string[]): BuildCommandOptions {
  const options = parseOptions(table, args);
  const problems = contradictions(options);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return options;
}

function contradictions(options: BuildCommandOptions): string[] {
  const about = ['model', 'weights', 'precision'] as const;
  return [
    ...(options['no-model']
      ? about
          .filter((name) => options[name] !== undefined)
          .map((name) => `--${name} and --no-model: only one of them`)
      : []),
    ...(options.model && options.weights ? ['--model and --weights: only one of them'] : []),
    ...(refusesUntrained(options) && options.weights === 'untrained'
      ? ['--release refuses --weights untrained; --allow-untrained takes them all the same']
      : []),
    ...(options.out && options.target && /^all$|,/.test(options.target)
      ? ['--out: one file cannot hold several targets']
      : []),
  ];
}

export const refusesUntrained = (options: BuildCommandOptions): boolean =>
  options.release === true && options['allow-untrained'] !== true;
