import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { fetcher, names, serve } from './loopback-server.ts';

/** Without an allow list; a look-up of any name here would be a way around the judgement. */
const strict = () => {
  const { resolve, asked } = names({});
  return { fetch: fetcher({ allow: [], resolve }), asked };
};

/** Every spelling of 127.0.0.1 that WHATWG's URL takes, and the embeddings of it in IPv6. */
const loopback = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.0.0.1.',
  '2130706433',
  '017700000001',
  '0x7f000001',
  '0x7F.1',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '00000177.1',
  '127.000.000.001',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '127．0．0．1',
  '%31%32%37.0.0.1',
  '127%2e0%2e0%2e1',
  '%30%78%37%66.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::127.0.0.1]',
  '[64:ff9b:1:7f00:0:100::]',
  '[2002:7f00:1::]',
  '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
];

const others = [
  '0',
  '0.0.0.0',
  '0.1.2.3',
  '[::]',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.100.100.200',
  '127.255.255.254',
  '169.254.169.254',
  '169.254.169.254.',
  '0xa9fea9fe',
  '2852039166',
  '0251.0376.0251.0376',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[fd00:ec2::254]',
  '168.63.129.16',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '0300.0250.0.1',
  '3232235521',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '4294967295',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fdff:ffff::1]',
  '[ff02::1]',
  '[ff0e::1]',
  '[100::1]',
  '[2001:db8::1]',
  '[2001:2::1]',
  '[2001:20::1]',
  '[3fff::1]',
  '[5f00::1]',
  '[2002:a00:1::]',
  '[::a00:1]',
  '[4000::1]',
];

describe('fetch, refuses an address that is not public', () => {
  test.each([...loopback, ...others])('%s', async (host) => {
    const { fetch, asked } = strict();
    await expect(fetch(`http://${host}/image.jpg`)).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
    });
    await expect(fetch(`https://${host}/image.jpg`)).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
    });
    expect(asked).toEqual([]);
  });
});

describe('fetch, refuses a URL whose parts hide where it leads', () => {
  test.each([
    ['http:127.0.0.1', 'URL_FORBIDDEN'],
    ['http:/127.0.0.1', 'URL_FORBIDDEN'],
    ['http:///127.0.0.1', 'URL_FORBIDDEN'],
    ['http:\\\\127.0.0.1\\image.jpg', 'URL_FORBIDDEN'],
    ['ht\ntp://127.0.0.1/', 'URL_FORBIDDEN'],
    ['\u0000 http://127.0.0.1/ ', 'URL_FORBIDDEN'],
    ['HTTP://127.0.0.1#@example.com/', 'URL_FORBIDDEN'],
    ['http://127.0.0.1\\@example.com/', 'URL_FORBIDDEN'],
    ['http://127.0.0.1?@example.com/', 'URL_FORBIDDEN'],
    ['http://example.com@127.0.0.1/', 'URL_INVALID'],
    ['http://user:secret@example.com/', 'URL_INVALID'],
    ['http://1.1.1.1 &@2.2.2.2# @3.3.3.3/', 'URL_INVALID'],
    ['http://[fe80::1%eth0]/', 'URL_INVALID'],
    ['http://[::1%25lo]/', 'URL_INVALID'],
    ['http://256.0.0.1/', 'URL_INVALID'],
    ['http://127.0.0.1:99999/', 'URL_INVALID'],
    ['http://a b/', 'URL_INVALID'],
    ['http://', 'URL_INVALID'],
    ['', 'URL_INVALID'],
    ['/etc/passwd', 'URL_INVALID'],
    ['file:///etc/passwd', 'URL_INVALID'],
    ['ftp://example.com/', 'URL_INVALID'],
    ['gopher://127.0.0.1:6379/_INFO', 'URL_INVALID'],
    ['data:image/png;base64,AAAA', 'URL_INVALID'],
    ['javascript:alert(1)', 'URL_INVALID'],
    ['unix:///var/run/docker.sock', 'URL_INVALID'],
    ['ws://example.com/', 'URL_INVALID'],
    [`http://${'a'.repeat(254)}/`, 'URL_INVALID'],
    [`http://example.com/${'a'.repeat(9000)}`, 'URL_INVALID'],
  ])('%j is %s', async (url, code) => {
    const { fetch, asked } = strict();
    await expect(fetch(url)).rejects.toMatchObject({ code });
    expect(asked).toEqual([]);
  });
});

test('fetch, refuses every way to write a random private IPv4 address', async () => {
  const { fetch } = strict();
  const octet = fc.integer({ min: 0, max: 255 });
  const inPrivateRange = fc.oneof(
    fc.tuple(fc.constantFrom(0, 10, 127), octet, octet, octet),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    fc.tuple(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
  );
  const radix = fc.constantFrom(
    (n: number) => String(n),
    (n: number) => `0x${n.toString(16)}`,
    (n: number) => `0${n.toString(8)}`,
  );
  const parts = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(
      inPrivateRange,
      parts,
      fc.array(radix, { minLength: 4, maxLength: 4 }),
      async (bytes, count, write) => {
        // As inet_aton reads it: the last part holds all bytes that are left.
        const last = bytes.slice(count - 1).reduce((sum, byte) => sum * 256 + byte, 0);
        const numbers = [...bytes.slice(0, count - 1), last];
        const host = numbers.map((n, index) => write[index]?.(n)).join('.');
        await expect(fetch(`http://${host}/`)).rejects.toMatchObject({ code: 'URL_FORBIDDEN' });
      },
    ),
    { numRuns: 300 },
  );
});

test('fetch, an address of this machine is refused though it is public', async () => {
  const fetch = fetcher({
    allow: [],
    ownAddresses: () => ['fe80::1%eth0', '9.9.9.9', '2620:fe::9'],
  });
  for (const host of ['9.9.9.9', '[2620:fe::9]', '[::ffff:9.9.9.9]']) {
    await expect(fetch(`http://${host}/`)).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
      message: expect.stringContaining('an address of this machine'),
    });
  }
});

test('fetch, a port other than 80 and 443 has to be allowed', async () => {
  const { resolve } = names({ 'img.test': ['9.9.9.9'] });
  const fetch = fetcher({ allow: ['127.0.0.1'], resolve });
  for (const port of [22, 25, 6379, 8080, 65535]) {
    await expect(fetch(`http://img.test:${port}/`)).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
      message: `port ${port} is not allowed, only 80 and 443 are; --url-allow img.test:${port} lets it through`,
    });
  }
});

test('fetch, the refusal of a literal address says what kind it is and how to allow it', async () => {
  const { fetch } = strict();
  await expect(fetch('http://0xa.1/')).rejects.toMatchObject({
    message: '10.0.0.1 is a private address; --url-allow 10.0.0.1 lets it through',
  });
});

test('fetch, refuses without a connection: no server is asked', async () => {
  using server = await serve((socket) => socket.end());
  const { fetch } = strict();
  for (const host of ['127.0.0.1', '0x7f.1', '[::ffff:7f00:1]', '0.0.0.0', 'localhost']) {
    await expect(fetch(`http://${host}:${server.port}/`)).rejects.toThrow();
  }
  expect(server.accepted).toBe(0);
});
