/** The Bun of another platform, from the npm registry. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '../model/errors.ts';
import { temporaryFolder } from '../model/files/abandoned.ts';
import { makeFolder } from '../model/files/folders.ts';
import { ConfigError } from '../src/errors.ts';
import { lockedPackage } from './lock-file.ts';
import { repository } from './repository.ts';
import type { Target } from './targets.ts';

export interface RuntimeOptions {
  /** Where it is kept for the next build. */
  readonly cacheDir: string;
  readonly offline?: boolean | undefined;
  readonly tell: (line: string) => void;
}

/**
 * Bun could fetch it by itself; this way it is the version of package-lock.json, and its checksum is held against the lock
 * file's.
 * @returns path of the executable
 * @throws ConfigError when it may not be fetched, ModelError when it cannot be
 */
export function runtimeFor(target: Target, { cacheDir, offline, tell }: RuntimeOptions): string {
  const { version, integrity } = lockedPackage(`node_modules/${target.runtime}`);
  const folder = join(cacheDir, 'bun', `${target.runtime.replace('@oven/', '')}-${version}`);
  const executable = join(folder, 'bin', `bun${target.suffix}`);
  if (existsSync(executable)) return executable;
  if (offline)
    throw new ConfigError(
      `--offline: the Bun of ${target.name} is not in the cache (${executable}); a build without --offline gets it`,
    );

  tell(`Getting ${target.runtime} ${version} from the npm registry.`);
  makeFolder(join(cacheDir, 'bun'));
  const staging = temporaryFolder(join(cacheDir, 'bun'), 'staging');
  try {
    pack(`${target.runtime}@${version}`, staging, target.name);
    const [archive = ''] = readdirSync(staging);
    const seen = `sha512-${createHash('sha512')
      .update(readFileSync(join(staging, archive)))
      .digest('base64')}`;
    if (seen !== integrity)
      throw new ModelError(`${archive}: ${seen}, but package-lock.json says ${integrity}`);
    execFileSync('tar', ['-xzf', archive], { cwd: staging });
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(staging, 'package'), folder);
  } finally {
    rmSync(staging, { recursive: true });
  }
  return executable;
}

/** The registry and the credentials are those of the repository's and the user's .npmrc. */
function pack(archive: string, folder: string, target: string): void {
  const { status, stderr, error } = spawnSync(
    'npm',
    ['pack', '--loglevel=error', '--pack-destination', folder, archive],
    { cwd: repository, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' },
  );
  if (status === 0) return;
  const said =
    error?.message ?? /^npm (?:error|ERR!) (?!code|errno|syscall)(.+)$/m.exec(stderr)?.[1];
  throw new ModelError(
    `the Bun of ${target} could not be had from the npm registry (npm pack ${archive}): ${said ?? stderr.trim()}`,
  );
}

/** The npm package of the Bun that builds: npm installs the one that fits the machine. */
export function installedRuntime(): string {
  const [name] = readdirSync(join(repository, 'node_modules/@oven'));
  if (!name) throw new Error('node_modules/@oven is empty: run npm ci');
  return `@oven/${name}`;
}
