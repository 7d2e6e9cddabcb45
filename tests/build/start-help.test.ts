import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { command } from './support/command.ts';

const repository = join(import.meta.dir, '../..');

test('npm start -- --help, says what it takes itself and what the executable takes, and prepares nothing', async () => {
  const said = await command([process.execPath, 'build/start.ts', '--help'], {
    cwd: repository,
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: '/nonexistent' },
    withErrors: true,
  });
  expect(said).toStartWith('Usage: npm start -- [OPTIONS]');
  expect(said).toContain('--weights FILE|URL');
  expect(said).toContain('Usage: resnet50-encoder [COMMAND] [OPTIONS]');
});

test('npm start, --weights twice is 2 and a sentence', async () => {
  const args = ['--weights', 'untrained', '--weights=untrained'];
  const child = Bun.spawnSync([process.execPath, 'build/start.ts', ...args], { cwd: repository });
  expect(child.stderr.toString()).toBe('npm start: --weights: is given twice\n');
  expect(child.exitCode).toBe(2);
});
