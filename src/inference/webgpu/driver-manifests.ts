/**
 * Manifests of Vulkan drivers, as the loader finds them on Linux
 * (https://github.com/KhronosGroup/Vulkan-Loader, docs/LoaderDriverInterface.md, "Driver Discovery").
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, readEnvironment } from '../../environment.ts';

/** SYSCONFDIR and EXTRASYSCONFDIR: who builds the loader chooses them, and these are the usual two. */
const systemFolders = ['/usr/local/etc', '/etc'];

const split = (paths: string): string[] => paths.split(':').filter((path) => path !== '');

/** The variables that name drivers, and with it no others; the first one that is set counts, also when it is empty. */
export function namedDrivers(
  env: Environment = readEnvironment(),
): { readonly variable: string; readonly value: string } | undefined {
  for (const variable of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES']) {
    const value = env[variable];
    if (value !== undefined) return { variable, value };
  }
  return undefined;
}

/** Where the loader looks, in its order: manifests, and folders of them. */
export function manifestPlaces(env: Environment = readEnvironment()): string[] {
  const named = namedDrivers(env);
  if (named) return split(named.value);
  const inHome = (folder: string): string =>
    env.HOME === undefined ? '' : `${env.HOME}/${folder}`;
  // An empty variable is as good as none.
  const folders = [
    ...split(env.XDG_CONFIG_HOME || inHome('.config')),
    ...split(env.XDG_CONFIG_DIRS || '/etc/xdg'),
    ...systemFolders,
    ...split(env.XDG_DATA_HOME || inHome('.local/share')),
    ...split(env.XDG_DATA_DIRS || '/usr/local/share:/usr/share'),
  ];
  return [
    ...split(env.VK_ADD_DRIVER_FILES ?? ''),
    ...folders.map((folder) => join(folder, 'vulkan/icd.d')),
  ];
}

/** Those that are there. */
export function driverManifests(env?: Environment): string[] {
  const found = manifestPlaces(env)
    .flatMap((place) => (place.endsWith('.json') ? [place] : list(place)))
    .filter((path) => path.endsWith('.json') && existsSync(path));
  return [...new Set(found)];
}

/** What lies in a folder, as paths; nothing when it cannot be read. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
