import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glob } from 'bun';

const repository = join(import.meta.dir, '../..');

/** Names the contents of some folders of the repository: what is made of them is out of date when this changes. */
export function fingerprint(folders: readonly string[], ...more: readonly string[]): string {
  const hash = createHash('sha256').update(more.join('\0'));
  for (const folder of folders)
    for (const file of [...new Glob(`${folder}/**/*`).scanSync(repository)].sort())
      hash.update(file).update(readFileSync(join(repository, file)));
  return hash.digest('hex').slice(0, 12);
}
