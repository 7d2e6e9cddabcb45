/** PyTorch beside it: the script pytorch.py in a Python of this machine. */
import { readFileSync } from 'node:fs';
import type { ResnetSpec } from '../../model/resnet/spec.ts';
import type { BenchOptions } from './options.ts';
// Embedded where this is compiled.
import scriptPath from './pytorch.py' with { type: 'file' };
import type { Results, Row } from './results.ts';

/** Python and CUDA take a while to start, and cuDNN tries its algorithms. */
const patienceMs = 180_000;

/** Adds a row for each figure, and what PyTorch says of the machine. @throws Error with a sentence when it cannot run */
export async function measurePytorch(
  spec: ResnetSpec,
  options: BenchOptions,
  results: Results,
  tell: (line: string) => void,
): Promise<void> {
  const { blocks, filters, stemFilters, inputSize } = spec;
  const order = {
    ...{ blocks, filters, stemFilters, side: inputSize.height },
    batches: options.batches,
    // Two memory formats, three precisions, two ways for each batch.
    seconds: options.seconds / 4,
    device: options.pytorchDevice,
  };
  if (!Bun.which(options.python))
    throw new Error(`there is no ${options.python}; --python names one that has PyTorch`);
  const child = Bun.spawn([options.python, '-u', '-', JSON.stringify(order)], {
    stdin: readFileSync(scriptPath),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const timer = setTimeout(end, patienceMs);
  const complaints = new Response(child.stderr).text();
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of child.stdout) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(JSON.parse(line), results, tell);
  }
  clearTimeout(timer);
  process.off('exit', end);
  const code = await child.exited;
  const said = (await complaints).trim().split('\n').at(-1);
  if (child.signalCode) throw new Error(`PyTorch was given up after ${patienceMs / 1000} s`);
  if (code !== 0) throw new Error(said || `${options.python} ended with ${code}`);
}

type Line = { machine: Record<string, string> } | { row: Row } | { trouble: string };

function take(line: Line, results: Results, tell: (line: string) => void): void {
  if ('machine' in line) Object.assign(results.machine, line.machine);
  else if ('trouble' in line) tell(`PyTorch: ${line.trouble}`);
  else {
    results.rows.push(line.row);
    const { variant, kind, batch, imagesPerSecond, ms } = line.row;
    tell(
      `PyTorch ${variant}, batch ${batch}, ${kind}: ${ms?.median.toFixed(2)} ms, ${imagesPerSecond?.toFixed(0)} images/s`,
    );
  }
}
