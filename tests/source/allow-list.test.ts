import { describe, expect, test } from 'bun:test';
import { ConfigError } from '../../src/errors.ts';
import { type Address, parseAddress } from '../../src/image/source/address-policy.ts';
import { parseAllowList } from '../../src/image/source/allow-list.ts';
import { resolveTarget } from '../../src/image/source/resolve-target.ts';
import { parseTargetUrl } from '../../src/image/source/target-url.ts';

const address = (text: string): Address => parseAddress(text) as Address;

describe('parseAllowList, an entry covers what it names', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', 9000, true],
    ['10.0.0.0/8', '11.0.0.1', 9000, false],
    ['10.1.2.3/8', '10.9.9.9', 80, true],
    ['fd00::/8', 'fd12::1', 80, true],
    ['fd00::/8', 'fc00::1', 80, false],
    ['::ffff:10.0.0.0/104', '10.1.1.1', 80, true],
    ['10.0.0.0/8', '::ffff:10.1.1.1', 80, true],
    ['192.168.1.5', '192.168.1.5', 1234, true],
    ['192.168.1.5', '192.168.1.6', 1234, false],
    ['192.168.1.5:9000', '192.168.1.5', 9000, true],
    ['192.168.1.5:9000', '192.168.1.5', 9001, false],
    ['192.168.1.5:80', '192.168.1.5', 81, false],
    ['fd00::5', 'fd00::5', 80, true],
    ['[fd00::5]', 'fd00::5', 80, true],
    ['[fd00::5]:9000', 'fd00::5', 9000, true],
    ['[fd00::5]:9000', 'fd00::5', 80, false],
    ['0.0.0.0/0', '::1', 80, false],
    ['::/0', '127.0.0.1', 80, false],
  ])('%s, %s:%d: %p', (entry, ip, port, covered) => {
    expect(parseAllowList([entry]).allowsAddress(address(ip), port)).toBe(covered);
  });

  test.each([
    ['minio', 'minio', 9000, true],
    ['MinIO', 'minio', 9000, true],
    ['minio.', 'minio', 9000, true],
    ['minio:9000', 'minio', 9000, true],
    ['minio:9000', 'minio', 9001, false],
    ['minio:80', 'minio', 8080, false],
    ['minio', 'minio.evil.test', 80, false],
    ['minio', 'evilminio', 80, false],
    ['bücher.test', 'xn--bcher-kva.test', 80, true],
    [' minio ', 'minio', 80, true],
  ])('%s, %s:%d: %p', (entry, host, port, covered) => {
    expect(parseAllowList([entry]).allowsHost(host, port)).toBe(covered);
  });
});

test('parseAllowList, every entry that cannot be read is named', () => {
  const bad = [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    'fd00::/129',
    'minio:0',
    'minio:65536',
    'minio:',
    'minio:9x',
    'http://minio',
    'minio/path',
    'user@minio',
    'a b',
    '*.example.com',
    'fd00::5:9000:zz',
    '10.0.0.0/8:80',
    ':9000',
  ];
  for (const entry of bad) {
    expect(() => parseAllowList(['10.0.0.0/8', entry])).toThrow(ConfigError);
  }
  expect(() => parseAllowList(['a b', 'minio', 'x:0'])).toThrow('"a b", "x:0"');
});

test('resolveTarget, allowing NAT64 reaches public IPv4 addresses through it and no others', async () => {
  const allow = parseAllowList(['64:ff9b::/96']);
  const options = { allow, resolve: async () => [], ownAddresses: () => [] };
  const target = (host: string) => resolveTarget(parseTargetUrl(`http://${host}/`), options);
  expect(await target('[64:ff9b::9.9.9.9]')).toEqual(['64:ff9b::909:909']);
  await expect(target('[64:ff9b::10.0.0.1]')).rejects.toMatchObject({ code: 'URL_FORBIDDEN' });
  await expect(target('[64:ff9b::127.0.0.1]')).rejects.toMatchObject({ code: 'URL_FORBIDDEN' });
});

test('resolveTarget, an IPv4-mapped address is connected to as the IPv4 address that was judged', async () => {
  const options = {
    allow: parseAllowList([]),
    resolve: async () => ['::ffff:9.9.9.9'],
    ownAddresses: () => [],
  };
  expect(await resolveTarget(parseTargetUrl('http://mapped.test/'), options)).toEqual(['9.9.9.9']);
});

test('resolveTarget, of several addresses those that pass, in their order', async () => {
  const options = {
    allow: parseAllowList([]),
    resolve: async () => ['10.0.0.1', '9.9.9.9', '::1', '8.8.8.8', '169.254.169.254'],
    ownAddresses: () => [],
  };
  expect(await resolveTarget(parseTargetUrl('http://mixed.test/'), options)).toEqual([
    ...['9.9.9.9', '8.8.8.8'],
  ]);
});

describe('resolveTarget, public addresses pass', () => {
  test.each(['1.1.1.1', '8.8.8.8', '100.128.0.1', '172.32.0.1', '192.167.0.1', '223.255.255.255'])(
    '%s',
    async (host) => expect(await pass(host)).toEqual([host]),
  );
  test.each(['2606:4700::1111', '2a00:1450::1', '2001:4860:4860::8888', '2400::1'])(
    '%s',
    async (host) => expect(await pass(`[${host}]`)).toEqual([host]),
  );
  const pass = (host: string) =>
    resolveTarget(parseTargetUrl(`https://${host}/`), {
      allow: parseAllowList([]),
      resolve: async () => [],
      ownAddresses: () => [],
    });
});
