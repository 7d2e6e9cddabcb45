/**
 * All tests, or those that are named: part of `npm test`. The kernels' have a process of their own: they make and drop much,
 * and take three times as long beside what the others keep.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const named = process.argv.slice(2);
const alone = ['int8', 'simd'];
const folders = readdirSync(join(import.meta.dir, '..'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'support')
  .map(({ name }) => name);
const rest = folders.filter((name) => !alone.includes(name));
const runs =
  named.length > 0 ? [named] : [alone, rest].map((names) => names.map((name) => `tests/${name}/`));

let failed = false;
for (const run of runs) {
  const command = [process.execPath, 'test', '--timeout', '180000', ...run];
  const { exitCode } = Bun.spawnSync(command, { stdio: ['inherit', 'inherit', 'inherit'] });
  failed ||= exitCode !== 0;
}
process.exit(failed ? 1 : 0);
