/** The rooms of src/ and who may enter which: `main → cli → server → embedder → image | inference`. */
import { expect, test } from 'bun:test';
import { edgesOf, nameless, namesIn, sourcesOf, textOf } from './support/imports.ts';

const files = sourcesOf('src');
const edges = edgesOf(files);
const room = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1];

/** For each room, those it imports from. Files beside them (errors, log, threads) are open to all, and know no room. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  cli: ['server', 'embedder', 'inference', 'model', 'phantoscope', 'config'],
  config: ['model'],
  server: ['embedder', 'page', 'config', 'gen'],
  page: ['gen'],
  embedder: ['image', 'inference', 'model'],
  image: ['model'],
  inference: ['model', 'gen'],
  model: [],
  phantoscope: ['gen'],
  gen: [],
};

/** `a → b` for every import from one room into another. */
const crossings = new Set(
  edges.flatMap(({ from, to }) => {
    const [here, there] = [room(from), room(to)];
    return here && there && here !== there ? [`${here} → ${there}`] : [];
  }),
);
const rules = Object.entries(allowed).flatMap(([here, rooms]) =>
  rooms.map((there) => `${here} → ${there}`),
);

test('imports, are seen in every form', () => {
  const text = `
    import a from 'a1'; import type { b } from "b1"; import 'c1';
    export { d } from './d1.ts'; export * from './e1.ts';
    const f = await import('f1'); const g = require('../g1.node'); const h = require.resolve( "h1" );
    import {
      i,
    } from 'i1';
    import j from 'j1' with { type: 'file' }; type K = import('k1').K;`;
  expect(namesIn(text)).toEqual([
    ...['a1', 'b1', 'c1', './d1.ts', './e1.ts', 'f1', '../g1.node', 'h1', 'i1', 'j1', 'k1'],
  ]);
  expect(nameless.test('require(path)')).toBe(true);
  expect(nameless.test("await import('./log.ts')")).toBe(false);
});

test('imports, none is of a name that is known only when it runs', () => {
  expect(files.filter((file) => nameless.test(textOf(file)))).toEqual([]);
});

test('rooms, import in one direction only', () => {
  expect([...crossings].filter((crossing) => !rules.includes(crossing))).toEqual([]);
});

test('rooms, no rule allows what nobody does', () => {
  expect(rules.filter((rule) => !crossings.has(rule))).toEqual([]);
});

test('rooms, every folder of src/ has its rule', () => {
  const rooms = new Set(files.flatMap((file) => room(file) ?? []));
  expect([...rooms].sort()).toEqual(Object.keys(allowed).sort());
});

test('files beside the rooms, know no room, but for main', () => {
  const beside = edges.filter(({ from, to }) => !room(from) && room(to));
  expect(beside).toEqual([{ from: 'src/main.ts', to: 'src/cli/run-cli.ts' }]);
});

test('src, imports nothing from outside but packages', () => {
  const outside = edges.filter(({ to }) => /^(\.\.|model|build|tests|bench)\//.test(to));
  expect(outside).toEqual([]);
});

const codes = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
/** The rows of ARCHITECTURE.md that say what a place is for, and in the last column what it knows. */
const table = textOf('ARCHITECTURE.md')
  .split('\n')
  .filter((line) => /^\| `(src|model|build)\//.test(line))
  .map((line) => line.split('|').slice(1, -1))
  .filter((cells) => cells.length === 3)
  .map(([places = '', , knows = '']) => ({ places: codes(places), knows: codes(knows) }));

test('ARCHITECTURE.md, tells of every room what it knows', () => {
  const told = Object.fromEntries(
    table.flatMap(({ places, knows }) =>
      places.flatMap((place) => {
        const name = /^src\/([a-z]+)$/.exec(place)?.[1];
        return name ? [[name, knows]] : [];
      }),
    ),
  );
  expect(told).toEqual(allowed as typeof told);
});

test('ARCHITECTURE.md, names every file that is open to all', () => {
  const open = table.find(({ places }) => places.includes('src/errors.ts'))?.places ?? [];
  const beside = files.filter((file) => !room(file) && file !== 'src/main.ts');
  expect(open.map((place) => place.replace(/^(src\/)?/, 'src/')).sort()).toEqual(beside.sort());
});

for (const folder of ['model/', 'build/'])
  test(`ARCHITECTURE.md, tells what ${folder} knows`, () => {
    const places = edgesOf(sourcesOf(folder)).flatMap(
      ({ to }) => /^(src\/[^/]+(?=\/)|model\/|build\/)/.exec(to)?.[1] ?? [],
    );
    const known = new Set(places.filter((place) => place !== folder));
    const row = table.find(({ places }) => places.includes(folder));
    expect(row?.knows.toSorted()).toEqual([...known].sort());
  });
