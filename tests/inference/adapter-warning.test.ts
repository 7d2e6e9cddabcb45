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
  '--adapter without a GPU, a warning that it is not used',
  async () => {
    const said = 'no GPU, running on the CPU: no Vulkan driver manifest';
    expect(await warningsOf([])).toEqual([]);
    expect(await warningsOf(['--adapter', '3'])).toEqual([
      expect.stringContaining(`--adapter 3 is not used: ${said}`),
    ]);
    expect(await warningsOf([], { OP_ADAPTER: '3' })).toEqual([
      expect.stringContaining(`OP_ADAPTER=3 is not used: ${said}`),
    ]);
    expect(await warningsOf(['--allow-software-gpu'])).toEqual([expect.stringContaining(said)]);
  },
);
