/** The machines an executable can be built for, and the Bun that runs on each. */
import { ConfigError } from '../src/errors.ts';

export interface Target {
  readonly name: string;
  /** What Bun calls it. */
  readonly bun: Bun.Build.CompileTarget;
  /** The npm package with this platform's Bun; its checksum is in package-lock.json. */
  readonly runtime: string;
  /** Dawn's prebuilt addons need glibc on Linux. */
  readonly gpu: boolean;
  readonly suffix: '' | '.exe';
}

export const targets: readonly Target[] = [
  target('linux-x64', 'linux-x64'),
  // From 1.4 on Bun's one build for x64 is the one for old CPUs: the package bun-linux-x64-baseline holds the same bytes.
  target('linux-x64-baseline', 'linux-x64'),
  target('linux-arm64', 'linux-aarch64'),
  target('linux-x64-musl', 'linux-x64-musl', { gpu: false }),
  target('linux-arm64-musl', 'linux-aarch64-musl', { gpu: false }),
  target('darwin-arm64', 'darwin-aarch64'),
  target('windows-x64', 'windows-x64', { suffix: '.exe' }),
];

function target(name: string, runtime: string, differs: Partial<Target> = {}): Target {
  const bun = `bun-${name}` as Bun.Build.CompileTarget;
  return { name, bun, runtime: `@oven/bun-${runtime}`, gpu: true, suffix: '', ...differs };
}

/**
 * @param names - comma-separated; `all` for every target
 * @throws ConfigError for a name that is not one
 */
export function parseTargets(names: string): Target[] {
  if (names === 'all') return [...targets];
  return names.split(',').map((name) => {
    const found = targets.find((candidate) => candidate.name === name);
    if (found) return found;
    const known = targets.map((candidate) => candidate.name).join(', ');
    throw new ConfigError(`--target ${name}: not one of ${known}, all`);
  });
}
