/** Builds the Dockerfile as a user would, on a Debian made here and with a small model. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { smallTestModel } from '../../support/models.ts';
import { command } from './command.ts';
import { folder, podman } from './podman.ts';

const repository = join(import.meta.dir, '../../..');
const debian = 'localhost/debian-with-node';

/** Debian with this machine's Node, in place of the Dockerfile's public images; made once on a machine. */
async function debianImage(): Promise<string> {
  if (
    await podman('image', 'exists', debian).then(
      () => true,
      () => false,
    )
  )
    return debian;
  mkdirSync(folder, { recursive: true });
  const root = mkdtempSync(join(folder, 'debian-'));
  try {
    const packages = '--include=ca-certificates,libstdc++6';
    await command(['debootstrap', '--variant=minbase', packages, 'bookworm', root]);
    const node = realpathSync(Bun.which('node') ?? '');
    copyFileSync(node, join(root, 'usr/bin/node'));
    const npm = join(dirname(node), '../lib/node_modules/npm');
    cpSync(npm, join(root, 'usr/lib/node_modules/npm'), { recursive: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
    const archive = `${root}.tar`;
    await command(['tar', '-C', root, '-cf', archive, '.']);
    await podman('import', archive, debian);
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true });
  }
  return debian;
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
