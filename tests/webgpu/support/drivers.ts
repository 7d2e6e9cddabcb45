/** The Vulkan drivers in software that the tests run on: each test names its own, whatever else the machine has. */
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Driver {
  /** Its manifest, for the Vulkan loader. */
  readonly manifest: string;
  /** For `testUnless`: what is not there, and how it is had. */
  readonly missing: string | undefined;
  /** The environment of a process that finds this driver and no other. */
  readonly env: Readonly<Record<string, string>>;
}

const environment = (...manifests: readonly string[]): Record<string, string> => ({
  VK_DRIVER_FILES: manifests.join(':'),
  XDG_RUNTIME_DIR: tmpdir(),
  // Mesa keeps compiled shaders; the operators of the tests have a cache folder each, and would compile them all again.
  MESA_SHADER_CACHE_DIR: join(tmpdir(), 'resnet50-encoder-test-data', 'mesa'),
});

const chromium = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Comes with Debian's Chromium. It has no half precision. */
export const swiftshader: Driver = {
  manifest: chromium,
  missing: existsSync(chromium)
    ? undefined
    : `${chromium} (SwiftShader, package chromium-common) is not there`,
  env: environment(chromium),
};

/** Where Mesa puts the manifest of llvmpipe, by release and architecture. TEST_LLVMPIPE names another one. */
const lavapipe =
  process.env.TEST_LLVMPIPE ??
  ['lvp_icd', 'lvp_icd.x86_64', 'lvp_icd.aarch64']
    .map((name) => `/usr/share/vulkan/icd.d/${name}.json`)
    .find((path) => existsSync(path)) ??
  '/usr/share/vulkan/icd.d/lvp_icd.json';

/** Mesa's, which has half precision and subgroups. */
export const llvmpipe: Driver = {
  manifest: lavapipe,
  missing: missingLlvmpipe(),
  env: environment(lavapipe),
};

/** Dawn refuses the llvmpipe of Mesa 22; from 25 on its manifest says Vulkan 1.4. */
function missingLlvmpipe(): string | undefined {
  const wanted =
    'llvmpipe of Mesa 25 or newer is needed: package mesa-vulkan-drivers, in Debian 12 that of bookworm-backports (.ci/install-llvmpipe); or TEST_LLVMPIPE names its manifest';
  if (!existsSync(lavapipe)) return `${lavapipe} is not there; ${wanted}`;
  const version: string = JSON.parse(readFileSync(lavapipe, 'utf8')).ICD.api_version;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || minor >= 4 ? undefined : `${lavapipe} is of Vulkan ${version}; ${wanted}`;
}

/** What faults and endurance are tried on: SwiftShader, or with TEST_DRIVER=llvmpipe that one. */
export const driver = process.env.TEST_DRIVER === 'llvmpipe' ? llvmpipe : swiftshader;

/** Both in one process. */
export const bothDrivers: Pick<Driver, 'env' | 'missing'> = {
  missing: swiftshader.missing ?? llvmpipe.missing,
  env: environment(chromium, lavapipe),
};
