import { expect } from 'bun:test';
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { testUnless } from '../support/data.ts';
import { testExecutable } from '../support/executable.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

const namespaces = ['unshare', '--mount', '--net'];
const possible = Bun.which('unshare') && Bun.spawnSync([...namespaces, 'true']).exitCode === 0;

testUnless(
  possible ? undefined : 'namespaces cannot be made here',
  'executable, runs alone: no node_modules, no network, a read-only file system, no home, no environment',
  async () => {
    const folder = testFolder('alone');
    linkSync(await testExecutable(smallTestModel()), join(folder, 'resnet50-encoder'));
    const script = join(import.meta.dir, 'alone.sh');
    const child = Bun.spawn([...namespaces, 'sh', script, folder], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    const lines = stdout.trim().split('\n');
    expect(lines[0], stderr).toBe('resnet50-encoder');
    expect(stdout).toMatch(
      /model id: +small_encoder-fp32-[0-9a-f]{16}\narchitecture: +small-test-network\nweights: +seeded random weights; the vectors mean nothing\n/,
    );
    expect(lines.slice(-2), stderr).toEqual(['healthy', 'ended with 0']);
  },
  180_000,
);
