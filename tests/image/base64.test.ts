import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeBase64 } from '../../src/image/base64.ts';
import { detectFormat } from '../../src/image/format.ts';
import { fastest } from '../support/fastest.ts';
import { expectFailure, failure } from './support.ts';

const bytesOf = (text: string): number[] => [...decodeBase64(text)];
const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });

test('decodeBase64, gives back what was encoded: bare, as a data URI, URL-safe, in lines, without padding', () => {
  fc.assert(
    fc.property(
      bytes,
      fc.constantFrom('', 'data:image/png;base64,', ' DATA:;BASE64 ,'),
      fc.integer({ min: 1, max: 80 }),
      (raw, prefix, line) => {
        const standard = Buffer.from(raw).toString('base64');
        const lines = standard.replace(new RegExp(`(.{${line}})`, 'g'), '$1\r\n');
        for (const text of [
          standard,
          Buffer.from(raw).toString('base64url'),
          lines,
          standard.replace(/=+$/, ''),
          ` ${standard}\n`,
          `${standard}==`,
        ])
          expect(bytesOf(prefix + text)).toEqual([...raw]);
      },
    ),
  );
});

test('decodeBase64, accepts exactly the texts that a strict decoder accepts once they are tidied', () => {
  const text = fc.string({ unit: fc.constantFrom(...'AZaz09+/-_= \n!é€😀'), maxLength: 12 });
  fc.assert(
    fc.property(text, (input) => {
      const tidy = input
        .replace(/[=\s]+$/, '')
        .replace(/\s/g, '')
        .replace(/-/g, '+')
        .replace(/_/g, '/');
      let strict: Uint8Array | undefined;
      try {
        if (tidy) strict = Uint8Array.fromBase64(tidy);
      } catch {}
      let ours: Uint8Array | undefined;
      try {
        ours = decodeBase64(input);
      } catch {}
      expect(ours && [...ours]).toEqual(strict && [...strict]);
    }),
    { numRuns: 2000 },
  );
});

const wrong: [string, string, RegExp][] = [
  ['a stray character', 'AAAA!AAA', /^not base64: '!' at position 4$/],
  ['a character outside of Latin', 'AAé€AAAA', /'é' at position 2/],
  ['a control character', 'AAAA\u0007', /U\+0007 at position 4/],
  ['padding in the middle', 'QQ==QUJD', /'=' at position 2/],
  ['a character too many', 'QUJDQ', /5 characters is cut off/],
  ['a URL', 'https://example.org/cat.jpg', /':' at position 5; the text looks like a URL/],
  ['a file name', 'photos/cat 1.jpg', /looks like a file name/],
  ["Python's bytes", "b'QUJD'", /Python's printed form/],
  ['JSON', '{"image": 1}', /looks like JSON/],
  ['HTML', '<p>no</p>', /looks like HTML/],
  ['SVG', '<svg xmlns="a"/>', /looks like XML or SVG/],
  ['a data URI without base64', 'data:text/plain,hello', /data URI that is not base64/],
  ['a data URI without a comma', 'data:image/png;base64', /without a comma/],
  ['a stray character in a data URI', 'data:image/png;base64,AA*A', /'\*' at position 24/],
];
for (const [what, text, message] of wrong)
  test(`decodeBase64, ${what} is named`, () =>
    expectFailure('BASE64_INVALID', message, () => decodeBase64(text)));

for (const text of ['', '   \n', '====', 'data:image/png;base64,', 'data:;base64, ='])
  test(`decodeBase64, ${JSON.stringify(text)} is empty`, () =>
    expectFailure('IMAGE_EMPTY', /no data/, () => decodeBase64(text)));

test('decodeBase64, 60 MB take no longer than a second', async () => {
  const text = Buffer.alloc(45_000_000, 0xa7).toString('base64');
  const ms = await fastest(4, () => expect(decodeBase64(text).length).toBe(45_000_000));
  expect(ms).toBeLessThan(1000);
});

const strange: [string, Uint8Array | string, RegExp][] = [
  [
    'SVG',
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    /^SVG is not supported; supported formats: JPEG, PNG/,
  ],
  ['SVG behind a prolog', '<?xml version="1.0"?>\n<!-- x -->\n<svg >', /^SVG is not supported/],
  ['HTML', '<!DOCTYPE html><html>', /decodes to HTML/],
  ['text', 'hello world, ça va?', /decodes to text/],
  ['a URL', 'https://example.org/a.png', /decodes to a URL/],
  [
    'base64 once more',
    Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]).toString('base64'),
    /encoded twice/,
  ],
  ['AVIF', Buffer.from('\0\0\0\x1cftypavif', 'latin1'), /^AVIF is not supported/],
  ['HEIC', Buffer.from('\0\0\0\x1cftypheic', 'latin1'), /^HEIC is not supported/],
  ['JPEG XL', Buffer.from([0xff, 0x0a, 1, 2]), /^JPEG XL is not supported/],
  ['PDF', '%PDF-1.7', /^PDF is not supported/],
  ['ZIP', Buffer.from('PK\x03\x04aaaa', 'latin1'), /^ZIP is not supported/],
  [
    'a WAV file',
    Buffer.from('RIFF\x10\0\0\0WAVE', 'latin1'),
    /^RIFF \(not WebP\) is not supported/,
  ],
  ['bytes', new Uint8Array([1, 2, 3, 0, 200]), /^the bytes are not an image/],
];
for (const [what, content, message] of strange)
  test(`detectFormat, ${what} is named`, () =>
    expectFailure('IMAGE_UNKNOWN_FORMAT', message, () =>
      detectFormat(Buffer.from(content as Uint8Array)),
    ));

test('detectFormat, nothing but one of the formats or a typed error, whatever the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (raw) => {
      const error = await failure(() => detectFormat(raw));
      expect(['IMAGE_UNKNOWN_FORMAT', 'IMAGE_EMPTY']).toContain(error.code);
    }),
  );
});
