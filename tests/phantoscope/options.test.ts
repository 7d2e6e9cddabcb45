import { expect, test } from 'bun:test';
import { parseApiUrl } from '../../src/config/api-url.ts';
import type { Config } from '../../src/config/options.ts';
import { parseCommandLine } from '../../src/config/parse-command-line.ts';

const commands = ['serve', 'register', 'check'];
const parse = (line: string, env: Record<string, string> = {}): Config =>
  parseCommandLine(line.split(' '), env, commands).config;

test('parseApiUrl, keeps what names the server and nothing else', () => {
  expect(parseApiUrl('http://10.0.0.5:5000/')).toEqual({ value: 'http://10.0.0.5:5000' });
  expect(parseApiUrl('HTTPS://Edge.example/ps/')).toEqual({ value: 'https://edge.example/ps' });
});

test.each([
  ['10.0.0.5:5000', 'http://'],
  ['ftp://10.0.0.5', 'http://'],
  ['http://', 'not a URL'],
  ['http://me:secret@10.0.0.5:5000', 'user name'],
  ['http://10.0.0.5:5000/v1/operator', 'more than the address'],
  ['http://10.0.0.5:5000/?a=b', 'more than the address'],
])('parseApiUrl, %s is refused with a reason', (text, words) => {
  expect(parseApiUrl(text)).toEqual({ problem: expect.stringContaining(words) });
});

test('register, flags and variables', () => {
  const config = parse('register --to http://10.0.0.5:5000 --replace -e 10.0.0.9:52001', {
    OP_ALLOW_UNTRAINED: 'on',
    OP_API: 'v0.2',
    OP_ENDPOINT: '10.0.0.7:1',
  });
  expect(config).toMatchObject({ to: 'http://10.0.0.5:5000', replace: true, api: 'v0.2' });
  expect(config).toMatchObject({ allowUntrained: true, unregisterOnExit: false });
  expect(config.endpoint.text).toBe('10.0.0.9:52001');
});

test('register, a toggle takes a value after = only', () => {
  expect(parse('register --replace=off').replace).toBe(false);
  expect(() => parse('register --replace=perhaps')).toThrow('neither on nor off');
  expect(() => parse('register --replace off')).toThrow('"off": register takes no arguments');
});

test('register, an empty LOCAL_ADDRESS is named as what it is', () => {
  expect(() => parse('register', { OP_ENDPOINT: ':52001' })).toThrow(
    /OP_ENDPOINT: read ":52001", which has no host \(is the variable .* empty\?\)/,
  );
});

test('register, an instance is no way through the paths of the API', () => {
  for (const instance of ['.', '..', 'a/b', ''])
    expect(() => parse(`register --instance=${instance}`)).toThrow('not just dots');
  for (const instance of ['default', '..a', 'v1.2'])
    expect(parse(`register --instance=${instance}`).instance).toBe(instance);
});
