import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { testUnless } from '../support/data.ts';
import { smallTestModel } from '../support/models.ts';
import { outputOf } from '../support/output-of.ts';

const main = join(import.meta.dir, '../../src/main.ts');

// On Linux a start looks for a driver before it loads anything; elsewhere there may be a GPU.
testUnless(
  process.platform === 'linux' ? undefined : 'this is not Linux',
  'info, says once that there is no GPU, in its table',
  async () => {
    const { stdout, stderr, code } = await outputOf(
      Bun.spawn([process.execPath, main, 'info', '--model', smallTestModel()], {
        env: { PATH: process.env.PATH, VK_DRIVER_FILES: '/nowhere', OP_LOG_FORMAT: 'json' },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      }),
    );
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/^adapters: +no GPU, running on the CPU: .*--allow-software-gpu only$/m);
  },
);

test('info, says nothing of a reader that has gone', async () => {
  const line = `"${process.execPath}" "${main}" info --model "${smallTestModel()}" --device wasm | true`;
  const { stderr } = await outputOf(
    Bun.spawn(['sh', '-c', line], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }),
  );
  expect(stderr).toBe('');
});
