/** What only one place may do, and how long a file may be. */
import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { edgesOf, repository, sourcesOf, textOf } from './support/imports.ts';

const files = sourcesOf('src');
const edges = edgesOf(files);
const importers = (pattern: RegExp): string[] => [
  ...new Set(edges.filter(({ to }) => pattern.test(to)).map(({ from }) => from)),
];

test('generated operator code and Connect, only where the wire is', () => {
  const wire = importers(/^@connectrpc\/|^src\/gen\/(omnisearch|grpc|google)\//);
  expect(wire.filter((file) => !/^src\/(server|page|phantoscope|cli|gen)\//.test(file))).toEqual(
    [],
  );
  expect(wire.length).toBeGreaterThan(0);
});

const onlyIn: Record<string, [RegExp, string]> = {
  onnxruntime: [/^onnxruntime/, 'src/inference/onnxruntime/session.ts'],
  'the JPEG codec': [/^@jsquash\/jpeg/, 'src/image/jpeg/codec.ts'],
  Dawn: [/^webgpu(\/|$)|\.node$/, 'src/inference/webgpu/dawn.ts'],
};
for (const [what, [pattern, file]] of Object.entries(onlyIn))
  test(`${what}, loaded by one file, which ARCHITECTURE.md names`, () => {
    expect(importers(pattern)).toEqual([file]);
    expect(textOf('ARCHITECTURE.md')).toContain(`\`${file.slice('src/'.length)}\``);
  });

test('the environment, read by one file', () => {
  const reads = /\b(process|Bun|import\.meta)(\.env\b|\[)|\benv\b[^=]*\}\s*=\s*(process|Bun)\b/;
  expect(files.filter((file) => reads.test(textOf(file)))).toEqual(['src/environment.ts']);
});

test('files, none is longer than 300 lines', () => {
  const long = files
    .filter((file) => !file.startsWith('src/gen/'))
    .filter((file) => textOf(file).split('\n').length > 300);
  expect(long).toEqual([]);
});

test('ARCHITECTURE.md, every file and folder that it names is there', () => {
  const named = [...textOf('ARCHITECTURE.md').matchAll(/`([a-z][\w.-]*(?:\/[\w.-]+)*\/?)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => /\/|\.ts$/.test(path));
  const there = (path: string): boolean => {
    // A name is one from the root wherever its first part is a folder there.
    const atRoot = existsSync(join(repository, path.split('/')[0]!));
    return existsSync(join(repository, atRoot ? path : `src/${path}`));
  };
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !there(path))).toEqual([]);
});
