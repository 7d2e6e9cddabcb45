/** The whole arm64 executable under an emulator: it starts, says who it is, and gives the x64 one's vector. */
import { expect } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { targets } from '../../build/targets.ts';
import { emulated, missingEmulator } from '../support/arm64.ts';
import { testUnless } from '../support/data.ts';
import { testExecutable } from '../support/executable.ts';
import { smallTestModel } from '../support/models.ts';
import { startOperator } from '../support/operator.ts';
import { texturePng } from '../support/pictures.ts';
import { testFolder } from '../support/test-folder.ts';
import { callOperator } from './support/grpc-operator.ts';
import { build } from './support/other-folder.ts';
import { missingRuntime } from './support/runtimes.ts';

const missing =
  missingEmulator ?? missingRuntime(targets.filter(({ name }) => name === 'linux-arm64'));

const folder = testFolder('arm64');
const picture = Buffer.from(texturePng({ width: 60, height: 40, seed: 5 })).toString('base64');

/** Identity and the vector of the picture. */
async function ask(executable: string): Promise<{ identity: object; vector: number[] }> {
  await using operator = await startOperator({
    executable,
    args: ['--endpoint', '192.0.2.2:52001'],
    patienceMs: 60_000,
  });
  const identity = await callOperator(operator.port, 'Identity', {});
  const reply = await callOperator(operator.port, 'Execute', { datas: [picture] });
  const vectors = reply.vectors as { element: number[] }[];
  expect(vectors).toHaveLength(1);
  expect(await operator.stop()).toBe(0);
  return { identity, vector: vectors[0]?.element ?? [] };
}

testUnless(missing, 'linux-arm64 under qemu, serves the same vector as linux-x64', async () => {
  const arm64 = join(folder, 'resnet50-encoder');
  const repository = join(import.meta.dir, '../..');
  const model = ['--model', smallTestModel()];
  await build(repository, ...model, '--target', 'linux-arm64', '--out', arm64);
  const script = join(folder, 'emulated');
  writeFileSync(script, `#!/bin/sh\nexec ${emulated.join(' ')} ${arm64} "$@"\n`);
  chmodSync(script, 0o755);

  const theirs = await ask(script);
  const ours = await ask(await testExecutable(smallTestModel()));
  expect(theirs.identity).toMatchObject({ name: 'small_encoder', endpoint: '192.0.2.2:52001' });
  expect(theirs.identity).toEqual(ours.identity);
  expect(theirs.vector).toHaveLength(128);
  const distance = theirs.vector.map((value, i) => Math.abs(value - (ours.vector[i] ?? NaN)));
  expect(Math.max(...distance)).toBeLessThanOrEqual(1e-6);
  expect(Math.max(...theirs.vector)).toBeGreaterThan(0.01);
});
