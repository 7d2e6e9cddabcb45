/** The rooms of src/ and who may enter which: `main → cli → server → embedder → image | inference`. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { Glob } from 'bun';

const src = join(import.meta.dir, '../../src');
const files = [...new Glob('**/*.ts').scanSync(src)].filter((file) => !file.endsWith('.d.ts'));

/** `import`s of a source file: packages as they are, files relative to src/. Types count as well. */
function imports(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/(?:from|import|import\()\s*['"]([^'"]+)['"]/g);
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
  );
}

const room = (file: string): string => file.split('/')[0] ?? '';
const edges = files.flatMap((from) => imports(from).map((to) => ({ from, to })));

/** For each room, the rooms it may import from; files beside them (errors, log, threads) are open to all. */
const allowed: Record<string, readonly string[]> = {
  cli: ['server', 'embedder', 'inference', 'image', 'model', 'phantoscope', 'config'],
  server: ['embedder', 'gen', 'page', 'config', 'model'],
  embedder: ['image', 'inference', 'model'],
  image: ['model'],
  inference: ['model', 'gen'],
  model: [],
  phantoscope: ['gen'],
  config: ['model'],
  page: ['gen'],
  gen: [],
};

test('rooms, import in one direction only', () => {
  const wrong = edges.filter(({ from, to }) => {
    const target = room(to);
    if (!from.includes('/') || !to.includes('/') || to.startsWith('..')) return false;
    if (!(target in allowed) || target === room(from)) return false;
    return !allowed[room(from)]?.includes(target);
  });
  expect(wrong).toEqual([]);
});

test('rooms, every folder of src/ has its rule', () => {
  const rooms = new Set(files.filter((file) => file.includes('/')).map(room));
  expect([...rooms].filter((name) => !(name in allowed))).toEqual([]);
});

const importers = (pattern: RegExp): string[] => [
  ...new Set(edges.filter(({ to }) => pattern.test(to)).map(({ from }) => from)),
];

test('generated operator code and Connect, only where the wire is', () => {
  const wire = importers(/^@connectrpc\/|^gen\/(omnisearch|grpc|google)\//);
  expect(wire.filter((file) => !/^(server|page|phantoscope|cli|gen)\//.test(file))).toEqual([]);
});

test('onnxruntime, imported by one file', () => {
  expect(importers(/^onnxruntime-web/)).toEqual(['inference/onnxruntime/session.ts']);
});

test('the JPEG codec, imported by one file', () => {
  expect(importers(/^@jsquash\/jpeg/).length).toBe(1);
});

test('the environment, read by one file', () => {
  const readers = files.filter((file) =>
    /process\.env|Bun\.env/.test(readFileSync(join(src, file), 'utf8')),
  );
  expect(readers).toEqual(['environment.ts']);
});

test('files, none is longer than 300 lines', () => {
  const long = files
    .filter((file) => !file.startsWith('gen/'))
    .filter((file) => readFileSync(join(src, file), 'utf8').split('\n').length > 300);
  expect(long.map((file) => relative(src, join(src, file)))).toEqual([]);
});
