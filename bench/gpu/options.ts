/** What `npm run bench -- gpu` can be told. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** In the order in which they run. */
export const parts = ['bare', 'inside', 'decoding', 'grpc', 'pytorch'] as const;
export type Part = (typeof parts)[number];

export interface BenchOptions {
  readonly only: ReadonlySet<Part>;
  readonly size: 'resnet50' | 'small';
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

export const help = `Usage: npm run bench -- gpu [options]

The network on a GPU, bare and through gRPC, beside PyTorch on the same card (docs/webgpu.md). Untrained weights are made
on the spot and nothing is fetched.

  --only PARTS             some of ${parts.join(',')} (all)
  --size resnet50|small    small is a network of few channels, for a GPU that is only software
  --adapter GPU            number or part of the name, as for the operator
  --allow-software-gpu     take SwiftShader or llvmpipe
  --batches N[,N]          1,8,32,64
  --concurrency N[,N]      calls at a time through gRPC: 1,64
  --seconds S              for each figure (3)
  --minutes M              when what is left is given up and the table printed (8)
  --executable FILE        the operator without a model; else it lies beside this program, or is built
  --python FILE            a Python that has PyTorch (python3)
  --pytorch-device DEVICE  cuda, or cpu only to see the script work
  --out FILE               the results as JSON (bench-gpu.json)
  --pack FOLDER            measure nothing: write bench-gpu.tar.xz for a GPU host that has no npm
`;

/** @throws Error with a sentence for the user; undefined when only help was asked for */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: parts.join(',') },
      size: { type: 'string', default: 'resnet50' },
      adapter: { type: 'string' },
      'allow-software-gpu': { type: 'boolean', default: false },
      batches: { type: 'string', default: '1,8,32,64' },
      concurrency: { type: 'string', default: '1,64' },
      seconds: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '8' },
      executable: { type: 'string' },
      python: { type: 'string', default: 'python3' },
      'pytorch-device': { type: 'string', default: 'cuda' },
      out: { type: 'string', default: 'bench-gpu.json' },
      pack: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    only: new Set(values.only.split(',').map((part) => oneOf('--only', part, parts))),
    size: oneOf('--size', values.size, ['resnet50', 'small'] as const),
    adapter: values.adapter,
    allowSoftware: values['allow-software-gpu'],
    batches: numbers('--batches', values.batches),
    concurrencies: numbers('--concurrency', values.concurrency),
    seconds: positive('--seconds', values.seconds),
    minutes: positive('--minutes', values.minutes),
    executable: values.executable,
    python: values.python,
    pytorchDevice: oneOf('--pytorch-device', values['pytorch-device'], ['cuda', 'cpu'] as const),
    threads: availableParallelism(),
    out: values.out,
    pack: values.pack,
  };
}

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (!found) throw new Error(`${flag} ${value}: not one of ${known.join(', ')}`);
  return found;
}

function positive(flag: string, value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new Error(`${flag} ${value}: not a number above 0`);
  return number;
}

function numbers(flag: string, list: string): number[] {
  const found = list.split(',').map(Number);
  if (!found.every((n) => Number.isInteger(n) && n >= 1 && n <= 256))
    throw new Error(`${flag} ${list}: whole numbers from 1 to 256 with commas between`);
  return found.sort((a, b) => a - b);
}
