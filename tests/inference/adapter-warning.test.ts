import { expect } from 'bun:test';
import { join } from 'node:path';
import { testUnless } from '../support/data.ts';
import { smallTestModel } from '../support/models.ts';
import { outputOf } from '../support/output-of.ts';

const main = join(import.meta.dir, '../../src/main.ts');

async function warningsOf(args: readonly string[], env = {}): Promise<string[]> {
  const child = Bun.spawn(
    [process.execPath, main, 'info', '--model', smallTestModel(), '--log-format', 'json', ...args],
    {
      // A manifest that is not there: no driver, on any machine.
      env: { PATH: process.env.PATH, VK_DRIVER_FILES: '/nowhere/icd.json', ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    },
  );
  const { code, stderr } = await outputOf(child);
  expect(code).toBe(0);
  const lines = stderr.trim().split('\n').filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .flatMap(({ level, msg }) => (level === 'warn' ? [msg] : []));
}

// On Linux a start looks for a driver before it loads anything; elsewhere there may be a GPU.
testUnless(
  process.platform === 'linux' ? undefined : 'this is not Linux',
  'options for a GPU without one, a warning that names them and says why',
  async () => {
    const said = 'no GPU, running on the CPU: no Vulkan driver manifest';
    expect(await warningsOf([])).toEqual([]);
    expect(await warningsOf(['--adapter', '3'])).toEqual([
      expect.stringContaining(`--adapter has no effect: ${said}`),
    ]);
    const several = ['--graph-capture', 'on', '--max-batch-wait', '20ms'];
    expect(await warningsOf(several, { OP_MAX_BATCH: '64' })).toEqual([
      expect.stringContaining(
        `--graph-capture, OP_MAX_BATCH, --max-batch-wait have no effect: ${said}`,
      ),
    ]);
    expect(await warningsOf(['--max-batch', '32', '--graph-capture', 'auto'])).toEqual([]);
    expect(await warningsOf(['--allow-software-gpu'])).toEqual([expect.stringContaining(said)]);
  },
);
