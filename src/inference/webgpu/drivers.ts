/** What there is on this machine that a GPU driver needs; looked at without loading any of it. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Environment, readEnvironment } from '../../environment.ts';
import { driverManifests, list, manifestPlaces, namedDrivers } from './driver-manifests.ts';

const loaderName = 'libvulkan.so.1';
/** Where distributions keep libraries; the linker's own list may have more. */
const libraryFolders = [
  ...['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu`),
  ...['/usr/lib64', '/usr/lib', '/usr/local/lib', '/lib64', '/lib'],
];
/** Device nodes of vendors that do not use /dev/dri alone; a container may have been given any of NVIDIA's cards. */
const vendorDevice = /^(nvidia\d+|dxg|mali0|kgsl-3d0)$/;

/** What is looked at; tests have their own. */
export interface Surroundings {
  readonly env?: Environment;
  /** @default /dev */
  readonly dev?: string;
}

function deviceNodes(dev = '/dev'): string[] {
  return [
    ...list(join(dev, 'dri')).filter((path) => basename(path).startsWith('render')),
    ...list(dev).filter((path) => vendorDevice.test(basename(path))),
  ];
}

/**
 * Whether loading Dawn could find anything, so that a start without a GPU does not pay for asking: on Linux that takes a
 * driver's manifest, and a device unless software will do. On macOS and Windows the driver comes with the system.
 */
export function mayHaveGpu(allowSoftware: boolean, { env, dev }: Surroundings = {}): boolean {
  if (process.platform !== 'linux') return true;
  return driverManifests(env).length > 0 && (allowSoftware || deviceNodes(dev).length > 0);
}

/** What was looked for and what was seen, in one line; what is wrong comes first. */
export function describeDrivers({ env, dev }: Surroundings = {}): string {
  if (process.platform !== 'linux') return 'the system offers no GPU to this process';
  const findings = [
    describeManifests(env),
    ...describeNodes(dev),
    describeLoader(),
    describeTemporaryFolder(),
  ];
  return [...findings.filter(({ wrong }) => wrong), ...findings.filter(({ wrong }) => !wrong)]
    .map(({ text }) => text)
    .join('; ');
}

interface Finding {
  /** Without it there is no GPU. */
  readonly wrong: boolean;
  readonly text: string;
}
const wrong = (text: string): Finding => ({ wrong: true, text });
const right = (text: string): Finding => ({ wrong: false, text });

function describeManifests(env?: Environment): Finding {
  const manifests = driverManifests(env);
  if (manifests.length > 0) return right(`Vulkan driver manifests: ${manifests.join(', ')}`);
  const named = namedDrivers(env);
  const places = named
    ? `${named.variable}=${named.value}`
    : `in ${manifestPlaces(env).join(', ')}; VK_DRIVER_FILES names one elsewhere`;
  return wrong(`no Vulkan driver manifest (${places})`);
}

function describeNodes(dev?: string): Finding[] {
  const nodes = deviceNodes(dev);
  if (nodes.length === 0) return [wrong('no device node (/dev/dri/renderD*, /dev/nvidia*)')];
  const closed = nodes.filter((node) => !accessible(node, constants.R_OK | constants.W_OK));
  return [
    right(`device nodes: ${nodes.join(', ')}`),
    ...(closed.length > 0 ? [wrong(`no permission to open ${closed.join(', ')}`)] : []),
  ];
}

function describeLoader(): Finding {
  const own = (readEnvironment().LD_LIBRARY_PATH ?? '').split(':').filter((path) => path !== '');
  const found = [...own, ...libraryFolders]
    .map((folder) => join(folder, loaderName))
    .find((path) => existsSync(path));
  return found
    ? right(`Vulkan loader: ${found}`)
    : wrong(
        `no Vulkan loader (${loaderName}, Debian's package libvulkan1) in LD_LIBRARY_PATH or the usual folders`,
      );
}

/** Bun unpacks the addon there. */
function describeTemporaryFolder(): Finding {
  const folder = tmpdir();
  if (!accessible(folder, constants.W_OK | constants.X_OK))
    return wrong(`the temporary folder ${folder} (TMPDIR) cannot be written`);
  return forbidsExecution(folder)
    ? wrong(`the temporary folder ${folder} (TMPDIR) does not allow execution (noexec)`)
    : right(`temporary folder: ${folder}`);
}

/** By the options of the file system that the folder lies on. */
function forbidsExecution(folder: string): boolean {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, at = '?']) => folder === at || folder.startsWith(at === '/' ? at : `${at}/`));
    // The last of the longest: what is mounted over something hides it.
    const depth = Math.max(...mounts.map(([, at = '']) => at.length));
    const options = mounts.findLast(([, at]) => at?.length === depth)?.[3] ?? '';
    return options.split(',').includes('noexec');
  } catch {
    return false;
  }
}

function accessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
