/** Lines for a reader that is slower than they come: some wait, the others are dropped and counted. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';

const script = `
  import { createLog } from '${join(import.meta.dir, '../../src/log.ts')}';
  const log = await createLog({ format: 'json', level: 'info', fd: 1 });
  for (let i = 0; i < 4000; i++) log.info({ i, text: 'x'.repeat(2000) }, 'line');
  await log.close();
  process.exit(0);`;

test('createLog, lines that nobody reads fast enough are dropped, and how many is told', async () => {
  const late = '"$@" | (sleep 0.5; cat)';
  const child = Bun.spawn(['sh', '-c', late, 'sh', process.execPath, '-e', script], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const text = await new Response(child.stdout).text();
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string; i?: number; lines?: number });
  const kept = lines.flatMap(({ i }) => i ?? []);
  // 4 MiB may wait.
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => i));
  expect(kept.length).toBeWithin(1900, 2200);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', lines: 4000 - kept.length });
});
