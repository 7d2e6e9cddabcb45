/** An executable that was not copied in full. */
import { expect, test } from 'bun:test';
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { testExecutable } from '../support/executable.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

function run(executable: string, ...args: string[]): { code: number; said: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([executable, ...args], {
    env: { PATH: process.env.PATH },
  });
  return { code: exitCode, said: `${stdout}${stderr}` };
}

test('the executable without its last bytes, says that it is damaged and still takes --model', async () => {
  const folder = testFolder('damaged');
  const executable = join(folder, 'resnet50-encoder');
  copyFileSync(await testExecutable(smallTestModel()), executable);
  expect(run(executable, 'info').said).toContain('model id:     small_encoder-fp32-');
  for (const missing of [1, 5000]) {
    truncateSync(executable, statSync(executable).size - missing);
    for (const command of ['info', 'serve', '--version']) {
      const { code, said } = run(executable, command);
      expect(said).toContain('this executable is damaged');
      expect(code).toBe(2);
    }
  }
  expect(run(executable, 'info', '--model', smallTestModel()).code).toBe(0);
});

test('the executable that was built without a model, is not damaged', async () => {
  const executable = await testExecutable();
  expect(run(executable, '--version')).toMatchObject({ code: 0 });
  const { code, said } = run(executable, 'info');
  expect(said).toContain('this executable carries no model');
  expect(code).toBe(2);
});
