/** Executables for other machines, built in a folder where nothing was built before. */
import { beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { targets } from '../../build/targets.ts';
import { testUnless } from '../support/data.ts';
import { smallTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';
import { command } from './support/command.ts';
import { build, repositoryElsewhere } from './support/other-folder.ts';
import { missingRuntime } from './support/runtimes.ts';

const repository = join(import.meta.dir, '../..');
const addons = join(repository, 'node_modules/webgpu/dist');
/** The folder of its addon for each target; none where there is no GPU path. */
const addonOf: Readonly<Record<string, string | undefined>> = {
  'linux-x64': 'linux-x64',
  'linux-x64-baseline': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'linux-x64-musl': undefined,
  'linux-arm64-musl': undefined,
  'darwin-arm64': 'darwin-universal',
  'windows-x64': 'win32-x64',
};
const fileOf = (name: string): string =>
  `resnet50-encoder-${name}${name.startsWith('windows') ? '.exe' : ''}`;

const missing = missingRuntime(targets);
const commit = '0123456789ab';
const common = ['--model', smallTestModel(), '--commit', commit];
let elsewhere = '';
let dist = '';
const here = testFolder('targets');

beforeAll(async () => {
  elsewhere = await repositoryElsewhere();
  dist = join(elsewhere, 'dist');
  await build(elsewhere, ...common);
  if (!missing) await build(elsewhere, ...common, '--target', 'all');
}, 180_000);

const expectSameFile = (a: string, b: string): void =>
  // A difference of 140 MB must not be printed.
  expect(readFileSync(a).equals(readFileSync(b))).toBeTrue();

test('targets, the table above names them all', () => {
  expect(Object.keys(addonOf)).toEqual(targets.map(({ name }) => name));
});

for (const [name, own] of Object.entries(addonOf))
  testUnless(missing, `${name}, carries ${own ?? 'no'} WebGPU addon and no other`, () => {
    const executable = readFileSync(join(dist, fileOf(name)));
    for (const folder of readdirSync(addons)) {
      const addon = readFileSync(join(addons, folder, 'dawn.node'));
      // Not even a part of another's.
      const bytes = folder === own ? addon : addon.subarray(8 << 20, (8 << 20) + 4096);
      expect({ folder, carried: executable.includes(bytes) }).toEqual({
        folder,
        carried: folder === own,
      });
    }
  });

testUnless(missing, 'targets, checksums and bills of materials fit them', async () => {
  await command(['sha256sum', '--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: dist });
  const sums = readFileSync(join(dist, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  const listed = sums.map((line) => line.slice(66)).sort();
  expect(listed).toEqual(
    readdirSync(dist)
      .filter((file) => file !== 'SHA256SUMS')
      .sort(),
  );
  for (const { name, runtime, gpu } of targets) {
    const bill = JSON.parse(readFileSync(join(dist, `resnet50-encoder-${name}.cdx.json`), 'utf8'));
    const { hashes, properties } = bill.metadata.component;
    expect(sums).toContain(`${hashes[0].content}  ${fileOf(name)}`);
    expect(properties).toContainEqual({ name: 'target', value: name });
    expect(properties).toContainEqual({ name: 'commit', value: commit });
    const parts: { name: string; type: string }[] = bill.components;
    expect(parts.filter(({ type }) => type === 'platform').map((part) => part.name)).toEqual([
      runtime,
    ]);
    expect(parts.some((part) => part.name === 'webgpu')).toBe(gpu);
    expect(parts.some((part) => part.name === 'small_encoder-fp32')).toBeTrue();
  }
});

test('this machine, --version tells commit and model, and another folder gives the same bytes', async () => {
  const [there, again] = [join(dist, 'resnet50-encoder'), join(here, 'another-name')];
  expect(await command([there, '--version'])).toMatch(
    /^resnet50-encoder \S+ \(commit 0123456789ab\)\nmodel small_encoder-fp32-[0-9a-f]{16}\n$/,
  );
  await build(repository, ...common, '--out', again);
  expectSameFile(there, again);
});

testUnless(missing, 'linux-arm64, another folder gives the same bytes', async () => {
  const again = join(here, 'arm64');
  await build(repository, ...common, '--target', 'linux-arm64', '--out', again);
  expectSameFile(join(dist, fileOf('linux-arm64')), again);
});
