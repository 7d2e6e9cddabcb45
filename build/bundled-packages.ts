/** Which npm packages are in an executable: those that the bundler took something from, for the program or for its page. */
import { join, resolve } from 'node:path';
import { repository } from './repository.ts';

/** @returns their folders, `node_modules/pino`, `node_modules/a/node_modules/b` …, sorted */
export async function bundledPackages(program: Bun.BuildMetafile): Promise<string[]> {
  const page = await Bun.build({
    entrypoints: [join(repository, 'src/page/browser/main.ts')],
    target: 'browser',
    minify: true,
    metafile: true,
  });
  if (!page.metafile) throw new AggregateError(page.logs, 'the page could not be bundled');
  const folders = [program, page.metafile].flatMap(filesWithin).flatMap(packageFolder);
  return [...new Set(folders)].sort();
}

/** Inputs of which something is left in the output, by absolute path. */
function filesWithin({ outputs }: Bun.BuildMetafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => resolve(path)),
  );
}

function packageFolder(path: string): string[] {
  const name = path.slice(repository.length + 1).replaceAll('\\', '/');
  const folder = /^node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(name);
  return folder ? [folder[0]] : [];
}
