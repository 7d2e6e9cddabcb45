/** Builds the Dockerfile as a user would, on a Debian made here and with a small model. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { smallTestModel } from '../../support/models.ts';
import { command } from './command.ts';
import { folder, podman } from './podman.ts';

const repository = join(import.meta.dir, '../../..');
const node = realpathSync(Bun.which('node') ?? process.execPath);
const debian = async (): Promise<string> =>
  `localhost/debian-with-node:${(await command([node, '--version'])).trim()}`;

/** Debian with this machine's Node, in place of the Dockerfile's public images; made once on a machine. */
async function debianImage(): Promise<string> {
  const tag = await debian();
  const exists = podman('image', 'exists', tag).then(
    () => true,
    () => false,
  );
  if (await exists) return tag;
  mkdirSync(folder, { recursive: true });
  // What an interrupted run has left.
  for (const left of readdirSync(folder).filter((name) => name.startsWith('debian-')))
    rmSync(join(folder, left), { recursive: true, force: true });
  const root = mkdtempSync(join(folder, 'debian-'));
  try {
    const packages = '--include=ca-certificates,libstdc++6';
    await command(['debootstrap', '--variant=minbase', packages, 'bookworm', root]);
    copyFileSync(node, join(root, 'usr/bin/node'));
    const npm = join(dirname(node), '../lib/node_modules/npm');
    cpSync(npm, join(root, 'usr/lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
    const archive = `${root}.tar`;
    await command(['tar', '-C', root, '-cf', archive, '.']);
    await podman('import', archive, tag);
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true });
  }
  return tag;
}

/** What npm needs to work in the build as it does here: its cache, its configuration, this machine's certificates. */
function npmMounts(): string[] {
  const { HOME = '/root' } = process.env;
  return [
    [join(HOME, '.npm'), '/root/.npm', 'rw'],
    [join(HOME, '.npmrc'), '/root/.npmrc', 'ro'],
    ['/usr/etc/npmrc', '/usr/etc/npmrc', 'ro'],
    ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/certs/ca-certificates.crt', 'ro'],
  ]
    .filter(([from = '']) => existsSync(from))
    .map(([from, to, mode]) => `--volume=${from}:${to}:${mode}`);
}

/** @returns its name */
export async function buildImage(commit: string): Promise<string> {
  const base = await debianImage();
  const tag = 'localhost/resnet50-encoder';
  await podman(
    ...['build', '--isolation=chroot', '--format=docker', '--network=host', '--layers=false'],
    ...[`--build-arg=NODE_IMAGE=${base}`, `--build-arg=BASE_IMAGE=${base}`],
    `--build-arg=COMMIT=${commit}`,
    '--build-arg=BUILD_FLAGS=--model /model/resnet50.onnx',
    `--volume=${dirname(smallTestModel())}:/model:ro`,
    ...npmMounts(),
    `--tag=${tag}`,
    repository,
  );
  return tag;
}
