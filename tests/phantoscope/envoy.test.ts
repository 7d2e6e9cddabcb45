/** docs/envoy.yaml cannot be run here, for want of an Envoy: what it names must at least be there. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Operator } from '../../src/gen/omnisearch/operator_pb.ts';

const docs = join(import.meta.dir, '../../docs');
const read = (name: string): string => readFileSync(join(docs, name), 'utf8');

interface Envoy {
  static_resources: {
    listeners: { address: { socket_address: { port_value: number } }; filter_chains: unknown }[];
    clusters: { name: string; health_checks: unknown; load_assignment: { endpoints: unknown } }[];
  };
}

/** Every value of `key`, wherever it stands. */
function valuesOf(node: unknown, key: string): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(value, key),
  ]);
}

const { listeners, clusters } = (Bun.YAML.parse(read('envoy.yaml')) as Envoy).static_resources;

test('envoy.yaml, the ports are those of scaling.md and nginx.conf', () => {
  const nginx = read('nginx.conf');
  const ports = (pattern: RegExp): number[] =>
    [...nginx.matchAll(pattern)].map((match) => Number(match[1]));
  expect(listeners.map(({ address }) => address.socket_address.port_value)).toEqual(
    ports(/listen (\d+) http2/g),
  );
  const upstream = valuesOf(clusters, 'endpoints').flatMap((value) =>
    valuesOf(value, 'port_value'),
  );
  expect(upstream).toEqual(ports(/server 127\.0\.0\.1:(\d+)/g));
  for (const port of upstream) expect(read('scaling.md')).toContain(`127.0.0.1:${port} operator`);
});

test('envoy.yaml, calls go to a cluster that is there, which asks for the health of our service', () => {
  expect(valuesOf(listeners, 'cluster')).toEqual(clusters.map(({ name }) => name));
  expect(valuesOf(clusters, 'cluster_name')).toEqual(clusters.map(({ name }) => name));
  expect(valuesOf(clusters, 'service_name')).toEqual([Operator.typeName]);
});

test('envoy.yaml, every extension says its type', () => {
  const typed = [...valuesOf([listeners, clusters], 'typed_config')];
  expect(typed.length).toBeGreaterThan(1);
  for (const config of typed)
    expect(config).toHaveProperty(
      ['@type'],
      expect.stringMatching(/^type\.googleapis\.com\/envoy\./),
    );
});
