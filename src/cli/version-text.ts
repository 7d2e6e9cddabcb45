import { embeddedModelIds } from '../model/open-model.ts';
import { commit, version } from '../version.ts';

/** The program in the first line, the models inside it in the second. */
export function versionText(): string {
  const ids = embeddedModelIds();
  return [
    `resnet50-encoder ${version} (commit ${commit})`,
    ids.length > 0 ? `model ${ids.join(', ')}` : 'no model inside',
  ].join('\n');
}
