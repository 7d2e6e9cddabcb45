/** What `npm run bench -- gpu` can be told. */
import { availableParallelism } from 'node:os';
import {
  commandHelp,
  existingFile,
  flag,
  type Option,
  oneOf,
  parseOptions as parseTable,
  text,
} from '../../model/options.ts';

/** In the order in which they run. */
export const parts = ['bare', 'inside', 'decoding', 'grpc', 'pytorch'] as const;
export type Part = (typeof parts)[number];

export interface BenchOptions {
  readonly only: ReadonlySet<Part>;
  readonly size: 'resnet50' | 'small' | 'deep';
  readonly adapter: string | undefined;
  readonly allowSoftware: boolean;
  readonly batches: readonly number[];
  /** Calls at a time through gRPC. */
  readonly concurrencies: readonly number[];
  /** How long each figure is measured. */
  readonly seconds: number;
  /** When what is left is given up. */
  readonly minutes: number;
  readonly executable: string | undefined;
  readonly python: string;
  /** Where PyTorch runs; `cpu` only shows that the script works. */
  readonly pytorchDevice: 'cuda' | 'cpu';
  /** Threads that decode when decoding is measured alone. */
  readonly threads: number;
  /** Where the results are written as JSON. */
  readonly out: string;
  /** Instead of measuring, a folder for what a GPU host needs. */
  readonly pack: string | undefined;
}

const part: Option<ReadonlySet<Part>> = {
  placeholder: 'PART[,PART]',
  help: `some of ${parts.join(', ')} (default: all)`,
  parse: (value) => new Set(value.split(',').map((name) => oneOf(parts, '').parse(name))),
};

const positive = (placeholder: string, help: string): Option<number> => ({
  placeholder,
  help,
  parse(value) {
    const number = Number(value);
    if (!(number > 0)) throw new Error(`needs a number above 0, not ${JSON.stringify(value)}`);
    return number;
  },
});

const counts = (help: string): Option<readonly number[]> => ({
  placeholder: 'N[,N]',
  help,
  parse(value) {
    const found = value.split(',').map(Number);
    if (!found.every((n) => Number.isInteger(n) && n >= 1 && n <= 256))
      throw new Error(
        `needs whole numbers from 1 to 256 with commas between, not ${JSON.stringify(value)}`,
      );
    return found.sort((a, b) => a - b);
  },
});

const table = {
  only: part,
  size: oneOf(
    ['resnet50', 'small', 'deep'],
    "small is a network of few channels, for a GPU that is only software; deep has ResNet50's operators, all of them small, and shows what issuing them costs (default: resnet50)",
  ),
  adapter: text('GPU', 'number or part of the name, as for the operator'),
  'allow-software-gpu': flag('take SwiftShader or llvmpipe'),
  batches: counts('images in one batch (default: 1,8,32,64)'),
  concurrency: counts('calls at a time through gRPC (default: 1,64)'),
  seconds: positive('S', 'how long each figure is measured (default: 3)'),
  minutes: positive('M', 'when what is left is given up and the table printed (default: 8)'),
  executable: existingFile(
    'the operator without a model (default: the one beside this program, else it is built)',
  ),
  python: text('FILE', 'a Python that has PyTorch (default: python3)'),
  'pytorch-device': oneOf(
    ['cuda', 'cpu'],
    'where PyTorch runs; cpu only shows that the script works (default: cuda)',
  ),
  out: text('FILE', 'where the results go as JSON (default: bench-gpu.json)'),
  pack: text(
    'FOLDER',
    'measure nothing: write bench-gpu.tar.xz there, for a GPU host that has no npm',
  ),
};

export const help: string = commandHelp({
  usage: 'npm run bench -- gpu',
  about:
    'The network on a GPU, bare and through gRPC, beside PyTorch on the same card (docs/webgpu.md). Untrained weights are made on the spot and nothing is fetched.',
  table,
});

/** @throws ConfigError with a line for each option that is wrong; undefined when only help was asked for */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  if (args.includes('--help') || args.includes('-h')) return undefined;
  const values = parseTable(table, args);
  return {
    only: values.only ?? new Set(parts),
    size: values.size ?? 'resnet50',
    adapter: values.adapter,
    allowSoftware: values['allow-software-gpu'] ?? false,
    batches: values.batches ?? [1, 8, 32, 64],
    concurrencies: values.concurrency ?? [1, 64],
    seconds: values.seconds ?? 3,
    minutes: values.minutes ?? 8,
    executable: values.executable,
    python: values.python ?? 'python3',
    pytorchDevice: values['pytorch-device'] ?? 'cuda',
    threads: availableParallelism(),
    out: values.out ?? 'bench-gpu.json',
    pack: values.pack,
  };
}
