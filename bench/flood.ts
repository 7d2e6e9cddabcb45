/**
 * The figures of SECURITY.md for floods of large images: `npm run bench -- flood`, with `--executable FILE` for another one
 * than what is built here with untrained weights, and `--only N` for one row. Memory is the operator's resident set; Healthy is called by a
 * process of its own, on a new connection each time, every 10 ms.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { existingFile, integer } from '../model/options.ts';
import { ConfigError } from '../src/errors.ts';
import { testExecutable } from '../tests/support/executable.ts';
import { largeJpeg } from '../tests/support/large-jpeg.ts';
import { preparedTestModel } from '../tests/support/models.ts';
import { startOperator } from '../tests/support/operator.ts';
import type { FloodFigures } from './flood-roles.ts';
import { benchOptions } from './options.ts';
import { figuresOf, probing, role, tell } from './probing.ts';

interface Flood {
  readonly name: string;
  readonly count: number;
  readonly megapixels: number;
  readonly quality: number;
  readonly kind?: 'grpc' | 'json';
  readonly args?: readonly string[];
}

const floods: readonly Flood[] = [
  { name: '64 JPEGs of 100 megapixels, 41 MB each', count: 64, megapixels: 100, quality: 100 },
  { name: '64 JPEGs of 100 megapixels, 6 MB each', count: 64, megapixels: 100, quality: 30 },
  {
    name: '64 JPEGs of 100 megapixels, 41 MB each, as JSON',
    count: 64,
    megapixels: 100,
    quality: 100,
    kind: 'json',
  },
  {
    name: '4 JPEGs of 100 megapixels, 41 MB each',
    count: 4,
    megapixels: 100,
    quality: 100,
  },
  {
    name: '64 JPEGs of 24 megapixels, 4 MB each, as on a machine of 1 GB',
    count: 64,
    megapixels: 24,
    quality: 90,
    args: ['--memory', '1GiB'],
  },
  {
    name: '64 JPEGs of 12 megapixels, 2 MB each, with the least memory that can be asked for',
    count: 64,
    megapixels: 12,
    quality: 90,
    args: ['--memory', '256MiB'],
  },
];

const values = benchOptions({
  usage: 'flood',
  about:
    'More large images at once than there is memory for: what is answered, how much memory it takes, and how Healthy fares.',
  table: {
    executable: existingFile('the operator (default: one is built with untrained weights)'),
    only: integer(`one flood alone, from 0 to ${floods.length - 1} (default: all)`, 0),
  },
});
if (values.only !== undefined && !floods[values.only])
  throw new ConfigError(`--only ${values.only}: the floods are 0 to ${floods.length - 1}`);
const executable =
  values.executable ?? (await testExecutable(await preparedTestModel('untrained')));

async function pictureOf({ megapixels, quality }: Flood): Promise<string> {
  const height = Math.round(Math.sqrt((megapixels * 1e6) / 1.5) / 16) * 16;
  const width = Math.round((megapixels * 1e6) / height);
  const file = join(tmpdir(), `flood-${megapixels}-${quality}.jpg`);
  writeFileSync(
    file,
    await largeJpeg({
      width: Math.min(width, Math.floor((1e6 * megapixels) / height)),
      height,
      quality,
    }),
  );
  return file;
}

async function run(flood: Flood): Promise<void> {
  const file = await pictureOf(flood);
  await using operator = await startOperator({
    executable,
    args: flood.args ?? [],
    patienceMs: 120_000,
  });
  const { port, pid } = operator;
  const megabytes = (key: string): number => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1000);
  };
  const [, quiet] = await probing(port, pid, () => Bun.sleep(3000));
  const before = megabytes('VmRSS');
  const load = loadavg()[0] ?? 0;
  const [{ seconds, outcomes }, busy] = await probing(port, pid, () =>
    figuresOf<FloodFigures>(role('flood', port, flood.count, file, flood.kind ?? 'grpc')),
  );
  const peak = megabytes('VmHWM');
  await Bun.sleep(3000);
  console.log(`\n## ${flood.name} (load average ${load.toFixed(1)})`);
  for (const [outcome, count] of Object.entries(outcomes)) console.log(`${count} × ${outcome}`);
  console.log(
    `${seconds.toFixed(1)} s; memory ${before} MB before, ${peak} MB at most, ${megabytes('VmRSS')} MB after`,
  );
  console.log(`Healthy before: ${tell(quiet)}`);
  console.log(`Healthy meanwhile: ${tell(busy)}`);
}

const chosen = values.only === undefined ? floods : floods.slice(values.only, values.only + 1);
for (const flood of chosen) await run(flood);
process.exit(0);
