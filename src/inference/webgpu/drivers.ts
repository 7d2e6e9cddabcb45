/** What there is on this machine that a GPU driver needs; looked at without loading any of it. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvironment } from '../../environment.ts';

/** Where the Vulkan loader looks for drivers' manifests on Linux. */
const icdFolders = [
  '/etc/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
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

/** Manifests of Vulkan drivers: those the loader's variables name, else those in its folders. */
function driverManifests(): string[] {
  const env = readEnvironment();
  const named = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  if (named !== undefined) return named.split(':').filter((path) => existsSync(path));
  return icdFolders.flatMap(list).filter((path) => path.endsWith('.json'));
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

/** What was looked for and what was seen, in one line. */
export function describeDrivers(): string {
  if (process.platform !== 'linux') return 'the system offers no GPU to this process';
  const manifests = driverManifests();
  const nodes = deviceNodes();
  const closed = nodes.filter((node) => !accessible(node));
  return [
    manifests.length > 0
      ? `Vulkan driver manifests: ${manifests.join(', ')}`
      : `no Vulkan driver manifest (VK_DRIVER_FILES, ${icdFolders.join(', ')})`,
    nodes.length > 0
      ? `device nodes: ${nodes.join(', ')}`
      : 'no device node (/dev/dri/renderD*, /dev/nvidia0)',
    ...(closed.length > 0 ? [`no permission to open ${closed.join(', ')}`] : []),
    'the Vulkan loader is libvulkan.so.1',
  ].join('; ');
}

function accessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
