/**
 * `npm run generate`: writes everything that is made from something else: stubs from proto/, kernels from their generator,
 * the README's tables. With `--check` it writes nothing and fails when one of them has drifted.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Glob } from 'bun';
import { optionsMarkdown } from '../src/config/help.ts';
import { errorCatalogue } from '../src/errors.ts';
import { assemble, folder as kernelFolder, modules } from './kernels/assemble.ts';
import { repository } from './repository.ts';

type Files = Map<string, Uint8Array>;

/** The stubs of every .proto, by path. */
function stubs(): Files {
  const folder = mkdtempSync(join(tmpdir(), 'stubs-'));
  try {
    execFileSync(join(repository, 'node_modules/.bin/buf'), ['generate', '-o', folder], {
      cwd: repository,
      stdio: 'inherit',
    });
    return readTree(join(folder, 'src/gen'), join(repository, 'src/gen'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Files below `from`, under the names they have below `as`. */
function readTree(from: string, as: string): Files {
  const names = [...new Glob('**/*.ts').scanSync(from)];
  return new Map(names.map((name) => [join(as, name), readFileSync(join(from, name))]));
}

function kernels(): Files {
  return new Map(
    Object.entries(modules).map(([name, text]) => [join(kernelFolder, name), assemble(text)]),
  );
}

/** The README with its tables made anew between their markers. */
function readme(): Files {
  const path = join(repository, 'README.md');
  const tables: Record<string, string> = { options: optionsMarkdown(), errors: errorsMarkdown() };
  let text = readFileSync(path, 'utf8');
  for (const [name, table] of Object.entries(tables)) {
    const markers = new RegExp(`(<!-- ${name}: generated -->\n)[^]*?(<!-- end -->)`);
    if (!markers.test(text)) throw new Error(`README.md has no place for the table of ${name}`);
    text = text.replace(markers, (_, begin, end) => `${begin}\n${table.trim()}\n${end}`);
  }
  return new Map([[path, Buffer.from(text)]]);
}

function errorsMarkdown(): string {
  const rows = Object.entries(errorCatalogue).map(
    ([code, { kind, meaning }]) => `| \`${code}\` | \`${kind.toUpperCase()}\` | ${meaning} |`,
  );
  return ['| code | gRPC status | meaning |', '|---|---|---|', ...rows].join('\n');
}

const unknown = process.argv.slice(2).filter((arg) => arg !== '--check');
if (unknown.length > 0) {
  console.error(`${unknown.join(' ')}: npm run generate takes nothing but --check`);
  process.exit(2);
}
const generated = new Map([...stubs(), ...kernels(), ...readme()]);
const drifted = [...generated].filter(
  ([path, bytes]) => !existsSync(path) || !readFileSync(path).equals(bytes),
);
const stale = [...readTree(join(repository, 'src/gen'), join(repository, 'src/gen')).keys()].filter(
  (path) => !generated.has(path),
);
const short = (path: string): string => path.slice(repository.length + 1);

if (process.argv.includes('--check')) {
  const wrong = [...drifted.map(([path]) => path), ...stale];
  if (wrong.length > 0) {
    console.error(`Out of date, run \`npm run generate\`: ${wrong.map(short).join(', ')}`);
    process.exit(1);
  }
} else {
  for (const [path, bytes] of drifted) {
    writeFileSync(path, bytes);
    console.log(`wrote ${short(path)}`);
  }
  for (const path of stale) {
    rmSync(path);
    console.log(`removed ${short(path)}`);
  }
}
