/** The repository as it stands, once more in another folder: what is built there must not tell where it was built. */
import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { testFolder } from '../../support/test-folder.ts';
import { command } from './command.ts';

const repository = join(import.meta.dir, '../../..');

/** @returns the folder; its files are copies, its packages links to the same bytes where the disk allows */
export async function repositoryElsewhere(): Promise<string> {
  const folder = testFolder('elsewhere');
  const tracked = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const files = (await command(tracked, { cwd: repository })).split('\0').filter(Boolean);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(repository, file), join(folder, file));
  }
  const packages = join(repository, 'node_modules');
  await command(['cp', '-al', packages, folder]).catch(() =>
    cpSync(packages, join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true }),
  );
  return folder;
}

/** `npm run build` in a folder that holds the repository. */
export const build = (folder: string, ...args: string[]): Promise<string> =>
  command([process.execPath, 'build/build.ts', ...args], { cwd: folder, withErrors: true });
