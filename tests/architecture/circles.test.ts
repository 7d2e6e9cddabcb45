/** Imports go round in no circle, and the number formats of the simd engine are siblings. */
import { expect, test } from 'bun:test';
import { circleIn } from './support/circle.ts';
import { type Edge, edgesOf, sourcesOf } from './support/imports.ts';

test('a circle is found, and where there is none, none', () => {
  const edge = (from: string, to: string): Edge => ({ from, to });
  const line = [edge('a', 'b'), edge('b', 'c'), edge('a', 'c')];
  expect(circleIn(line)).toEqual([]);
  expect(circleIn([...line, edge('c', 'b')])).toEqual(['b', 'c', 'b']);
});

for (const folder of ['src', 'model', 'build', 'bench'])
  test(`${folder}, imports go round in no circle`, () => {
    expect(circleIn(edgesOf(sourcesOf(folder)))).toEqual([]);
  });

/** For each room of the engine, those it imports from. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  onnx: [],
  network: ['onnx'],
  common: ['onnx', 'network', 'plan'],
  fp32: ['common', 'network', 'plan'],
  int8: ['common', 'network', 'plan'],
  plan: ['common', 'fp32', 'int8', 'network'],
  kernels: ['plan'],
  threads: ['common', 'fp32', 'int8', 'plan'],
};

test('simd, fp32 and int8 do not know each other, and what they share knows neither', () => {
  const room = (path: string) => /^src\/inference\/simd\/([^/]+)\//.exec(path)?.[1];
  const found: Record<string, Set<string>> = {};
  for (const { from, to } of edgesOf(sourcesOf('src/inference/simd'))) {
    const [here, there] = [room(from), room(to)];
    if (!here) continue;
    found[here] ??= new Set();
    if (there && there !== here) found[here].add(there);
  }
  const sorted = (rooms: Readonly<Record<string, Iterable<string>>>) =>
    Object.fromEntries(Object.entries(rooms).map(([name, others]) => [name, [...others].sort()]));
  expect(sorted(found)).toEqual(sorted(allowed));
});
