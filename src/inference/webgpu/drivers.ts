/** What there is on this machine that a GPU driver needs; looked at without loading any of it. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '../../environment.ts';

/** Where the Vulkan loader looks for drivers' manifests on Linux, besides the user's own folders. */
const icdFolders = [
  '/etc/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
];
const loaderName = 'libvulkan.so.1';
/** Where distributions keep libraries; the linker's own list may have more. */
const libraryFolders = [
  ...['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu`),
  ...['/usr/lib64', '/usr/lib', '/usr/local/lib', '/lib64', '/lib'],
];
/** Device nodes of vendors that do not use /dev/dri alone. */
const vendorDevices = ['/dev/nvidia0', '/dev/dxg', '/dev/mali0', '/dev/kgsl-3d0'];

function list(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/**
 * Manifests of Vulkan drivers: those the loader's variables name, files or folders of them, else those in its folders
 * (https://github.com/KhronosGroup/Vulkan-Loader, docs/LoaderDriverInterface.md).
 */
function driverManifests(): string[] {
  const env = readEnvironment();
  const expand = (paths = ''): string[] =>
    paths
      .split(':')
      .flatMap((path) => (path.endsWith('.json') ? [path] : list(path)))
      .filter((path) => path.endsWith('.json') && existsSync(path));
  const named = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  if (named !== undefined) return expand(named);
  const home = env.HOME ?? '/nonexistent';
  const own = [
    env.XDG_CONFIG_HOME ?? join(home, '.config'),
    env.XDG_DATA_HOME ?? join(home, '.local/share'),
    ...(env.XDG_DATA_DIRS ?? '').split(':').filter((folder) => folder !== ''),
  ].map((folder) => join(folder, 'vulkan/icd.d'));
  return [
    ...new Set([...expand(env.VK_ADD_DRIVER_FILES), ...[...icdFolders, ...own].flatMap(expand)]),
  ];
}

const deviceNodes = (): string[] => [
  ...list('/dev/dri').filter((path) => path.includes('render')),
  ...vendorDevices.filter((path) => existsSync(path)),
];

/**
 * Whether loading Dawn could find anything, so that a start without a GPU does not pay for asking: on Linux that takes a
 * driver's manifest, and a device unless software will do. On macOS and Windows the driver comes with the system.
 */
export function mayHaveGpu(allowSoftware: boolean): boolean {
  if (process.platform !== 'linux') return true;
  return driverManifests().length > 0 && (allowSoftware || deviceNodes().length > 0);
}

/** What was looked for and what was seen, in one line; what is wrong comes first. */
export function describeDrivers(): string {
  if (process.platform !== 'linux') return 'the system offers no GPU to this process';
  const findings = [
    describeManifests(),
    ...describeNodes(),
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

function describeManifests(): Finding {
  const manifests = driverManifests();
  return manifests.length > 0
    ? right(`Vulkan driver manifests: ${manifests.join(', ')}`)
    : wrong(`no Vulkan driver manifest (VK_DRIVER_FILES, ${icdFolders.join(', ')})`);
}

function describeNodes(): Finding[] {
  const nodes = deviceNodes();
  if (nodes.length === 0) return [wrong('no device node (/dev/dri/renderD*, /dev/nvidia0)')];
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
