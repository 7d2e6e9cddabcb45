/** What this program is; the build puts the values in, and run from the sources it says so. */
import { embeddedModelIds } from '../model/open-model.ts';

declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

export const version = typeof BUILD_VERSION === 'string' ? BUILD_VERSION : 'from-source';
export const commit = typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'none';

/** The program in the first line, the models inside it in the second. */
export function versionText(): string {
  const ids = embeddedModelIds();
  return [
    `resnet50-encoder ${version} (commit ${commit})`,
    ids.length > 0 ? `model ${ids.join(', ')}` : 'no model inside',
  ].join('\n');
}
