/** Who imports what, read from the text of the sources: types count as well. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { Glob } from 'bun';

export const repository = join(import.meta.dir, '../../..');

export const sourcesOf = (folder: string): string[] =>
  [...new Glob('**/*.ts').scanSync(join(repository, folder))]
    .filter((file) => !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));

export const textOf = (file: string): string => readFileSync(join(repository, file), 'utf8');

const named =
  /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\(|\brequire\.resolve\s*\()\s*(?:\/\*.*?\*\/\s*)?['"`]([^'"`]+)['"`]/g;
/** What is loaded under a name that is known only when it runs. */
export const nameless = /\b(?:import|require)\s*\(\s*[^\s'"`)]/;

/** The names in a file's text: of imports, exports from elsewhere, `import()` and `require()`. */
export const namesIn = (text: string): string[] =>
  [...text.matchAll(named)].map(([, name = '']) => name);

export interface Edge {
  readonly from: string;
  /** A file from the repository's root, or what follows `node_modules/` of a package. */
  readonly to: string;
}

export const edgesOf = (files: readonly string[]): Edge[] =>
  files.flatMap((from) =>
    namesIn(textOf(from)).map((name) => {
      const path = name.startsWith('.') ? normalize(join(dirname(from), name)) : name;
      return { from, to: path.replace(/^.*node_modules\//, '') };
    }),
  );
