/** SHA256SUMS beside the executables, as `sha256sum --check` reads it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Enters `sums` (name → SHA-256, hexadecimal) into the folder's list and drops the lines of files that are gone.
 * @returns path of the list
 */
export function recordChecksums(folder: string, sums: Readonly<Record<string, string>>): string {
  const path = join(folder, 'SHA256SUMS');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const before = lines.filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)]);
  const all = { ...Object.fromEntries(before), ...sums } as Record<string, string>;
  const names = Object.keys(all).filter((name) => existsSync(join(folder, name)));
  writeFileSync(
    path,
    names
      .sort()
      .map((name) => `${all[name]}  ${name}\n`)
      .join(''),
  );
  return path;
}
