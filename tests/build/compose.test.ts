/** build/compose.yaml: Docker is not there to run it; what it tells the operator is tried on the operator. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../../src/cli/commands.ts';
import { variableOf } from '../../src/config/option.ts';
import { optionRows } from '../../src/config/options.ts';
import { parseCommandLine } from '../../src/config/parse-command-line.ts';
import { startStandin, testWithStandin } from '../phantoscope/standin.ts';
import { freeAddress } from '../support/free-address.ts';
import { runOperator, startOperator } from '../support/operator.ts';

interface Service {
  readonly image: string;
  readonly profiles: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: readonly string[];
  readonly networks?: { readonly default: { readonly aliases: readonly string[] } };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const file = join(import.meta.dir, '../../build/compose.yaml');
const compose = Bun.YAML.parse(readFileSync(file, 'utf8')) as Compose;
const ours = Object.entries(compose.services).filter(([, { image }]) => /resnet50/.test(image));
const environmentOf = (name: string): Readonly<Record<string, string>> =>
  compose.services[name]?.environment ?? {};

test('compose.yaml, has the operator once for each Phantoscope', () => {
  expect(ours.map(([name, { profiles }]) => [name, ...profiles])).toEqual([
    ['resnet50', 'v0.1'],
    ['register', 'v0.2'],
  ]);
  // v0.2's API server puts the operators that it starts into this project's network.
  expect(`${compose.name}_default`).toBe('phantoscope_default');
});

for (const [name, { command = [], environment = {}, ports = [] }] of ours)
  test(`compose.yaml, ${name}: every option is one of the table`, () => {
    const known = optionRows.map(([option]) => variableOf(option));
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
    const line = parseCommandLine(command, environment, Object.keys(commands));
    expect(line.warnings).toEqual([]);
    for (const port of ports) expect(port.split(':')[1]).toBe(String(line.config.endpoint.port));
  });

for (const profile of ['v0.1', 'v0.2'])
  test(`compose.yaml, ${profile}: what a service needs is there and in the same profile`, () => {
    const services = Object.entries(compose.services).filter(([, service]) =>
      service.profiles.includes(profile),
    );
    const names = services.map(([name]) => name);
    const hosts = services.flatMap(([name, { networks }]) => [
      name,
      ...(networks?.default.aliases ?? []),
    ]);
    expect(new Set(hosts).size).toBe(hosts.length);
    for (const [, { depends_on = [], environment = {}, volumes = [] }] of services) {
      expect(names).toEqual(expect.arrayContaining([...depends_on]));
      for (const [variable, value] of Object.entries(environment)) {
        const address = /^(?:(?:http:\/\/|mysql:\/\/\S+@)?([a-z][\w-]*):\d+)/.exec(value)?.[1];
        const host = /_ADDR$/.test(variable) ? value.split(':')[0] : address;
        if (host) expect(hosts).toContain(host);
      }
      for (const volume of volumes.filter((text) => !text.startsWith('/')))
        expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0] ?? '');
    }
  });

testWithStandin('compose.yaml, resnet50: registers with (a stand-in of) v0.1', async () => {
  const endpoint = await freeAddress();
  await using standin = await startStandin('v01');
  await using operator = await startOperator({
    env: {
      ...environmentOf('resnet50'),
      OP_ENDPOINT: endpoint,
      OP_REGISTER: standin.url,
      OP_ALLOW_UNTRAINED: 'on',
    },
    args: ['--listen', endpoint],
  });
  await operator.logged((line) => line.msg === 'registered with Phantoscope');
  expect(await standin.get('/v1/operator/')).toMatchObject([
    { _name: 'resnet50_encoder', _endpoint: endpoint },
  ]);
});

testWithStandin('compose.yaml, register: has (a stand-in of) v0.2 start the image', async () => {
  const stub = join(import.meta.dir, '../phantoscope/stub-operator.ts');
  const image = `--image=resnet50-encoder=${process.execPath} ${stub} {host}:{port}`;
  await using standin = await startStandin('v02', [image]);
  const environment = { ...environmentOf('register'), OP_TO: standin.url };
  const { code, stdout } = await runOperator(compose.services.register?.command ?? [], environment);
  expect(stdout).toStartWith('registered "resnet50_encoder"');
  expect(code).toBe(0);
  expect(await standin.get('/v1/operator/resnet50_encoder/instances')).toMatchObject([
    { name: 'phantoscope_resnet50_encoder_default', status: 'running' },
  ]);
});
