/**
 * The network on a GPU, bare and through gRPC, beside PyTorch: `npm run bench -- gpu --help`. It also runs compiled, on a
 * host that has nothing else (`--pack`). docs/webgpu.md says how.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientOrder, runClient } from './gpu/client.ts';
import { describeMachine } from './gpu/machine.ts';
import { type BenchOptions, help, type Part, parseOptions } from './gpu/options.ts';
import { report } from './gpu/report.ts';
import type { Results } from './gpu/results.ts';
import { runParts } from './gpu/run-parts.ts';

const begun = performance.now();
const tell = (line: string): void =>
  void process.stderr.write(
    `${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${line}\n`,
  );

/** Prints and writes what there is. */
function conclude(results: Results, options: BenchOptions): void {
  results.machine['measured in'] = `${((performance.now() - begun) / 1000).toFixed(0)} s`;
  process.stdout.write(`\n${report(results, options)}\n`);
  const written = { ...results, options: { ...options, only: [...options.only] } };
  writeFileSync(options.out, `${JSON.stringify(written, null, 1)}\n`);
  tell(`written to ${options.out}`);
}

async function measure(options: BenchOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-gpu-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const results: Results = { rows: [], missing: [], machine: describeMachine() };
  const late = setTimeout(() => {
    tell(`${options.minutes} minutes are over (--minutes): what is left is given up`);
    conclude(results, options);
    process.exit(1);
  }, 60_000 * options.minutes);
  await runParts(options, folder, results, tell);
  clearTimeout(late);
  conclude(results, options);
  // A GPU without half precision, or no PyTorch, is a finding; no GPU where one was to be measured is a failure.
  const onGpu = new Set<string>(
    ['bare', 'inside', 'grpc'].filter((part) => options.only.has(part as Part)),
  );
  return onGpu.size === 0 || results.rows.some(({ part }) => onGpu.has(part)) ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === '--client') {
    const order = JSON.parse(args[1] ?? '') as ClientOrder;
    process.stdout.write(JSON.stringify(await runClient(order)));
    return 0;
  }
  let options: BenchOptions | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    for (const problem of (error as Error).message.split('\n'))
      process.stderr.write(`bench gpu: ${problem}\n`);
    return 2;
  }
  if (!options) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  if (options.pack === undefined) return measure(options);
  const { pack } = await import('./gpu/pack.ts');
  await pack(options.pack, options.executable, tell);
  return 0;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench gpu: ${(error as Error).message}\n`);
  process.exit(1);
}
