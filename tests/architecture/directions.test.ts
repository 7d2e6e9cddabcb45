/** The rooms of a house and who may enter which: `main → cli → server → embedder → image | inference`, and within the server. */
import { expect, test } from 'bun:test';
import { circleIn } from './support/circle.ts';
import { edgesOf, nameless, namesIn, sourcesOf, textOf } from './support/imports.ts';
import { crossingsIn, enteredIn, type House, roomIn, table } from './support/rooms.ts';

const files = sourcesOf('src');
const edges = edgesOf(files);

const src: House = {
  folder: 'src',
  allowed: {
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
  },
  entrance: { file: 'src/main.ts', knows: ['cli'] },
};

/** In the order in which a request meets them. */
const server: House = {
  folder: 'src/server',
  allowed: {
    connections: ['limits', 'config'],
    routing: ['calls', 'errors', 'limits'],
    calls: ['services', 'intake', 'errors', 'limits', 'config', 'gen'],
    services: ['intake', 'errors', 'limits', 'embedder', 'config', 'gen'],
    intake: ['errors', 'limits', 'embedder', 'gen'],
    errors: ['limits', 'gen'],
    limits: [],
  },
  entrance: {
    file: 'src/server/create-server.ts',
    knows: ['calls', 'connections', 'limits', 'routing'],
  },
};

const inference: House = {
  folder: 'src/inference',
  allowed: {
    opening: ['onnxruntime', 'simd', 'webgpu', 'model', 'gen'],
    onnxruntime: ['webgpu', 'model'],
    simd: ['model', 'gen'],
    webgpu: [],
  },
  entrance: { file: 'src/inference/open-engine.ts', knows: ['opening'] },
};

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

for (const { folder, allowed, entrance } of [src, server, inference]) {
  const crossings = crossingsIn(folder);
  const rules = Object.entries(allowed).flatMap(([here, rooms]) =>
    rooms.map((there) => `${here} → ${there}`),
  );
  const sources = sourcesOf(folder);

  test(`rooms of ${folder}, import as the rules allow`, () => {
    expect([...crossings].filter((crossing) => !rules.includes(crossing))).toEqual([]);
  });

  test(`rooms of ${folder}, no rule allows what nobody does`, () => {
    expect(rules.filter((rule) => !crossings.has(rule))).toEqual([]);
  });

  test(`rooms of ${folder}, the rules lead in no circle`, () => {
    const ways = Object.entries(allowed).flatMap(([from, rooms]) =>
      rooms.map((to) => ({ from, to })),
    );
    expect(circleIn(ways)).toEqual([]);
  });

  test(`rooms of ${folder}, every folder has its rule`, () => {
    const rooms = new Set(sources.flatMap((file) => roomIn(folder, file) ?? []));
    expect([...rooms].sort()).toEqual(Object.keys(allowed).sort());
  });

  test(`files beside the rooms of ${folder}, know no room, but for ${entrance.file}`, () => {
    expect(enteredIn(folder)).toEqual({ [entrance.file]: [...entrance.knows] });
  });

  test(`ARCHITECTURE.md, tells of every room of ${folder} what it knows`, () => {
    const told = table.flatMap(({ places, knows }) =>
      places.flatMap((place) => {
        const name = roomIn(folder, `${place}/`);
        return name && place === `${folder}/${name}` && !name.includes('.') ? [[name, knows]] : [];
      }),
    );
    expect(Object.fromEntries(told)).toEqual(allowed);
  });

  test(`ARCHITECTURE.md, names every file that is open to all of ${folder}`, () => {
    const beside = sources.filter((file) => !roomIn(folder, file) && file !== entrance.file);
    const open = table.find(({ places }) => beside.includes(places[0] ?? ''))?.places ?? [];
    const named = open.map((place) => (place.startsWith('src/') ? place : `${folder}/${place}`));
    expect(named.sort()).toEqual(beside.sort());
  });
}

test('src, imports nothing from outside but packages', () => {
  const outside = edges.filter(({ to }) => /^(\.\.|model|build|tests|bench)\//.test(to));
  expect(outside).toEqual([]);
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
