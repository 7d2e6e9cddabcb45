/** What of a GPU's driver is seen without loading it; the Vulkan loader itself says where it looks. */
import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../src/environment.ts';
import { driverManifests, manifestPlaces } from '../../src/inference/webgpu/driver-manifests.ts';
import { describeDrivers, mayHaveGpu } from '../../src/inference/webgpu/drivers.ts';
import { testUnless } from '../support/data.ts';
import { testFolder } from '../support/test-folder.ts';

const notLinux = process.platform === 'linux' ? undefined : 'this is not Linux';

/** Has the loader look for drivers, and prints where it does (docs/LoaderDebugging.md of KhronosGroup/Vulkan-Loader). */
const askLoader = `
  const { dlopen } = require('bun:ffi');
  const name = 'vkEnumerateInstanceExtensionProperties';
  const { symbols } = dlopen('libvulkan.so.1', { [name]: { args: ['ptr', 'ptr', 'ptr'], returns: 'i32' } });
  symbols[name](null, new Uint32Array(1), null);`;

/** The places of the real loader, in its order; undefined without one. */
function placesOfLoader(env: Environment): string[] | undefined {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, '-e', askLoader], {
    env: { ...env, VK_LOADER_DEBUG: 'driver' },
  });
  if (exitCode !== 0) return undefined;
  const [, lines = ''] =
    /In following locations:\n((?:.*DRIVER: {10,}\/.*\n)*)/.exec(`${stderr}`) ?? [];
  return [...lines.matchAll(/DRIVER: +(\/.*)$/gm)].map(([, place]) => place!);
}

/** Builders of the loader choose these two (SYSCONFDIR, EXTRASYSCONFDIR): it may look in either or both. */
const isSystem = (place: string): boolean => /^(\/usr\/local)?\/etc\/vulkan\/icd\.d$/.test(place);

describe('manifestPlaces', () => {
  const file = '/usr/share/vulkan/icd.d/lvp_icd.json';
  const own = { XDG_CONFIG_HOME: '/a:/b', XDG_CONFIG_DIRS: '/c:/d', XDG_DATA_HOME: '/e' };
  const environments: readonly Environment[] = [
    {},
    { HOME: '/home/me' },
    { HOME: '/home/me', ...own, XDG_DATA_DIRS: '/f:/g/' },
    {
      HOME: '/home/me',
      XDG_CONFIG_HOME: '',
      XDG_CONFIG_DIRS: '',
      XDG_DATA_HOME: '',
      XDG_DATA_DIRS: '',
    },
    { HOME: '/home/me', VK_ADD_DRIVER_FILES: `${file}:/h` },
    { VK_DRIVER_FILES: `${file}:/h`, VK_ICD_FILENAMES: '/i.json', VK_ADD_DRIVER_FILES: '/j.json' },
    { VK_ICD_FILENAMES: file, VK_ADD_DRIVER_FILES: '/j.json' },
  ];
  const missing =
    notLinux ?? (placesOfLoader({}) ? undefined : 'libvulkan.so.1 (libvulkan1) is not there');

  testUnless(missing, 'are those of the loader, in its order, whatever the environment', () => {
    for (const env of environments) {
      const real = placesOfLoader(env)!;
      expect(real).not.toEqual([]);
      const ours = manifestPlaces(env);
      expect({ env, places: ours.filter((place) => !isSystem(place)) }).toEqual({
        env,
        places: real.filter((place) => !isSystem(place)),
      });
      expect(ours).toEqual(expect.arrayContaining(real));
    }
  });

  test('driverManifests, finds one below XDG_CONFIG_DIRS', () => {
    const folder = testFolder('drivers');
    const manifest = join(folder, 'vulkan/icd.d/card.json');
    mkdirSync(join(folder, 'vulkan/icd.d'), { recursive: true });
    writeFileSync(manifest, '{}');
    writeFileSync(join(folder, 'vulkan/icd.d/README'), '');
    const env = { XDG_CONFIG_DIRS: `/nowhere:${folder}`, XDG_DATA_DIRS: '/nowhere' };
    expect(driverManifests(env)).toEqual(expect.arrayContaining([manifest]));
    expect(driverManifests({ VK_DRIVER_FILES: `/nowhere.json:${folder}/vulkan/icd.d` })).toEqual([
      manifest,
    ]);
    expect(driverManifests({ VK_DRIVER_FILES: '/nowhere.json' })).toEqual([]);
  });
});

describe('device nodes', () => {
  const withNodes = (...nodes: readonly string[]): string => {
    const folder = testFolder('dev');
    mkdirSync(join(folder, 'dri'));
    for (const node of nodes) writeFileSync(join(folder, node), '');
    return folder;
  };
  const manifest = join(testFolder('drivers'), 'card.json');
  writeFileSync(manifest, '{}');
  const env = { VK_DRIVER_FILES: manifest };

  testUnless(notLinux, 'of any of NVIDIA’s cards count, what they share does not', () => {
    for (const nodes of [
      ['nvidia3', 'nvidiactl', 'nvidia-uvm'],
      ['nvidia12'],
      ['dri/renderD128'],
    ]) {
      const dev = withNodes(...nodes);
      expect(mayHaveGpu(false, { env, dev })).toBe(true);
      expect(describeDrivers({ env, dev })).toContain(`device nodes: ${join(dev, nodes[0]!)};`);
    }
    for (const nodes of [['nvidiactl', 'nvidia-uvm', 'nvidia-modeset'], ['dri/card0'], []]) {
      const dev = withNodes(...nodes);
      expect(mayHaveGpu(false, { env, dev })).toBe(false);
      expect(mayHaveGpu(true, { env, dev })).toBe(true);
      expect(describeDrivers({ env, dev })).toStartWith(
        'no device node (/dev/dri/renderD*, /dev/nvidia*)',
      );
    }
  });

  testUnless(
    notLinux,
    'one without a manifest is nothing, and the places looked at are named',
    () => {
      const dev = withNodes('nvidia0');
      for (const [VK_DRIVER_FILES, said] of [
        ['/nowhere.json', 'no Vulkan driver manifest (VK_DRIVER_FILES=/nowhere.json)'],
        [undefined, 'no Vulkan driver manifest (in '],
      ] as const) {
        const none = { VK_DRIVER_FILES, XDG_DATA_DIRS: '/nowhere' };
        expect(mayHaveGpu(true, { env: none, dev })).toBe(false);
        expect(describeDrivers({ env: none, dev })).toStartWith(said);
      }
    },
  );
});
