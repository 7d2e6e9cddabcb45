/** What is read of a request while it arrives, in whatever pieces, is what the libraries read of the whole. */
import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { OperatorError } from '../../src/errors.ts';
import { ExecuteRequestSchema } from '../../src/gen/omnisearch/operator_pb.ts';
import { createJsonReader } from '../../src/server/intake/json-reader.ts';
import { bareMessage, envelopedMessage } from '../../src/server/intake/message-chunks.ts';
import type { MessageReader } from '../../src/server/intake/message-reader.ts';
import { createProtobufReader } from '../../src/server/intake/protobuf-reader.ts';
import { createTextBuffers, type TextBuffers } from '../../src/server/intake/text-buffers.ts';
import { openAdmission } from '../support/embedder-options.ts';

const openTexts = (maxImages = 1000): TextBuffers =>
  createTextBuffers({
    ticket: openAdmission({ maxImages, maxQueue: 1e6 }).open(),
    maxImages,
    maxRest: 10_000,
    maxMessageBytes: 1e8,
  });
const datasOf = ({ datas }: TextBuffers): string[] =>
  datas.map((text) => Buffer.from(text).toString());

/** The bytes in pieces of the given lengths, over and over. */
function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    list.push(bytes.slice(at, at + length));
    at += length;
  }
  return list;
}
function readInto(reader: MessageReader, bytes: Uint8Array, lengths: readonly number[]): void {
  for (const piece of pieces(bytes, lengths)) reader.push(piece);
  reader.end();
}
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const message = fc.record({
  datas: fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 6 }),
  urls: fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 6 }),
});
const codeOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    if (error instanceof OperatorError) return error.code;
    throw error;
  }
  return 'none';
};

test('createProtobufReader, reads what protobuf-es wrote, whatever the pieces', () => {
  fc.assert(
    fc.property(message, cuts, (given, lengths) => {
      const texts = openTexts();
      const bytes = toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, given));
      readInto(createProtobufReader(texts, 1e6), bytes, lengths);
      expect({ datas: datasOf(texts), urls: [...texts.urls] }).toEqual(given);
    }),
  );
});

const field = (number: number, wireType: number): number => (number << 3) | wireType;
const a = [field(2, 2), 1, 0x61];

test.each([
  ['a varint', [field(7, 0), 0xff, 0xff, 0x01]],
  ['64 bits', [field(7, 1), 1, 2, 3, 4, 5, 6, 7, 8]],
  ['bytes', [field(7, 2), 3, 1, 2, 3]],
  ['32 bits', [field(7, 5), 1, 2, 3, 4]],
  ['a group', [field(7, 3), field(2, 2), 1, 0x62, field(7, 4)]],
  ['our number with another wire type', [field(2, 0), 5]],
])('createProtobufReader, passes over %s of an unknown field', (_, unknown) => {
  const texts = openTexts();
  readInto(createProtobufReader(texts, 1e6), Uint8Array.from([...unknown, ...a, ...unknown]), [3]);
  expect(datasOf(texts)).toEqual(['a']);
});

test.each([
  ['it ends within a text', [field(2, 2), 5, 0x61]],
  ['it ends within a number', [field(7, 0), 0x80]],
  ['it ends within a group', [field(7, 3)]],
  ['a group that was not opened ends', [field(7, 4)]],
  ['wire type 7', [field(1, 7)]],
  ['field number 0', [2, 0]],
  ['a number without end', [field(7, 0), ...Array<number>(11).fill(0xff)]],
  ['groups 200 deep', Array<number>(200).fill(field(7, 3))],
  [
    'unknown fields without end',
    Array<number>(30_000)
      .fill(field(7, 0))
      .map((tag, i) => (i % 2 ? 0 : tag)),
  ],
])('createProtobufReader, %s: REQUEST_MALFORMED', (_, bytes) => {
  const reader = createProtobufReader(openTexts(), 1e6);
  expect(codeOf(() => readInto(reader, Uint8Array.from(bytes), [7]))).toBe('REQUEST_MALFORMED');
});

test('createProtobufReader, a URL that is not UTF-8 is REQUEST_MALFORMED', () => {
  const reader = createProtobufReader(openTexts(), 1e6);
  expect(codeOf(() => reader.push(Uint8Array.of(field(1, 2), 1, 0xff)))).toBe('REQUEST_MALFORMED');
});

test('createProtobufReader, more bytes of URLs than allowed are refused as they come; images are not among them', () => {
  const text = (number: number, length: number): Buffer =>
    Buffer.concat([
      Buffer.of(field(number, 2), (length & 127) | 128, length >> 7),
      Buffer.alloc(length, 'a'),
    ]);
  const reader = createProtobufReader(openTexts(), 1e6);
  reader.push(text(2, 16_000));
  reader.push(text(1, 6000));
  expect(codeOf(() => reader.push(text(1, 6000).subarray(0, 5000)))).toBe('MESSAGE_TOO_LARGE');
});

test('createProtobufReader, a text longer than a message may be is refused before it comes', () => {
  const reader = createProtobufReader(openTexts(), 100);
  expect(codeOf(() => reader.push(Uint8Array.of(field(2, 2), 101)))).toBe('MESSAGE_TOO_LARGE');
});

test('createProtobufReader, whatever the bytes: texts or a typed error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), cuts, (bytes, lengths) => {
      codeOf(() => readInto(createProtobufReader(openTexts(), 1000), bytes, lengths));
    }),
    { numRuns: 1000 },
  );
});

const nameOf = (n: number): string => `name-${n}`;
function readJson(text: string, lengths: readonly number[], maxRest = 1e6) {
  const texts = openTexts();
  const reader = createJsonReader({ sink: texts, nameOf, maxRest, maxTexts: 100 });
  readInto(reader, Buffer.from(text), lengths);
  return { texts: datasOf(texts), rest: Buffer.from(reader.rest).toString() };
}

test('createJsonReader, takes the texts of datas out and leaves all else, whatever the pieces', () => {
  const jsonText = fc.string({ unit: fc.constantFrom(...'aA+/=\\"\'{}[]:,\n\t \u0001é😀') });
  const document = fc.record(
    {
      datas: fc.array(jsonText, { maxLength: 5 }),
      urls: fc.array(jsonText, { maxLength: 5 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      document,
      cuts,
      fc.constantFrom(0, 2),
      fc.boolean(),
      (given, lengths, indent, escaped) => {
        const written = JSON.stringify(given, null, indent);
        // As PHP and Gson write it, and a name as nobody does.
        const text = escaped
          ? written
              .replaceAll('/', '\\/')
              .replaceAll('=', '\\u003d')
              .replace(/"datas":/, '"d\\u0061tas":')
          : written;
        const { texts, rest } = readJson(text, lengths);
        // A chunk may end within a character; only what is no base64 anyway is then read in pieces.
        const ascii = (list: readonly string[]) =>
          list.filter((entry) => /^[\0-\x7f]*$/.test(entry));
        expect(ascii(texts)).toEqual(ascii(given.datas ?? []));
        const left = {
          ...given,
          ...(given.datas && { datas: given.datas.map((_, i) => nameOf(i)) }),
        };
        expect(JSON.parse(rest)).toEqual(JSON.parse(JSON.stringify(left)));
      },
    ),
    { numRuns: 500 },
  );
});

test('createJsonReader, what is not JSON is left for Connect to judge', () => {
  for (const text of ['', '{', '{"datas":[1', 'null', '{"datas":"a"}', '[["datas"]]', '{"datas"'])
    expect(readJson(text, [1]).rest).toBe(text);
});

test.each([
  ['{"data":["AAAA"]}', 'it has no field "data"; there are urls and datas'],
  ['{"datas":"a","Datas":["AAAA"]}', 'it has no field "Datas"; there are urls and datas'],
  ['{"datas":["AAAA"],"datas":[]}', 'it has the field "datas" twice'],
  ['{"d\\u0061tas":["AAAA"],"\\u0064atas":[]}', 'it has the field "datas" twice'],
  ['{"datas":[["AAAA"]]}', 'its JSON is nested too deeply'],
  [`{"urls":[${'[],'.repeat(200)}`, 'its JSON is nested too deeply'],
  [`{"urls":[${'"",'.repeat(200)}`, 'it has too many entries'],
  [`{"urls":[${'1,'.repeat(200)}`, 'it has too many entries'],
])('createJsonReader, %s: REQUEST_MALFORMED', (text, words) => {
  expect(() => readJson(text, [3])).toThrow(`the request is malformed: ${words}`);
});

test('createJsonReader, ends within an image: REQUEST_MALFORMED', () => {
  expect(codeOf(() => readJson('{"datas":["AAAA', [4]))).toBe('REQUEST_MALFORMED');
  expect(codeOf(() => readJson('{"datas":["A\\xA"]}', [4]))).toBe('REQUEST_MALFORMED');
});

test('createJsonReader, more beside the images than allowed is refused as it comes', () => {
  const reader = createJsonReader({ sink: openTexts(), nameOf, maxRest: 1000, maxTexts: 100 });
  expect(codeOf(() => reader.push(Buffer.from(`{"urls":["${'a'.repeat(1000)}`)))).toBe(
    'MESSAGE_TOO_LARGE',
  );
});

test('createJsonReader, a million escapes take no longer than two seconds', () => {
  for (const escaped of ['\\n', '\\/', '\\u003d', '\\"']) {
    const text = `{"datas":["${escaped.repeat(1e6)}"]}`;
    const started = performance.now();
    expect(readJson(text, [65_536]).texts[0]).toHaveLength(1e6);
    expect(performance.now() - started).toBeLessThan(2000);
  }
});

async function* stream(list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}
const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const list: Uint8Array[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return Buffer.concat(list);
};
const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? String(error),
  );
function envelope(flags: number, length: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}
const content = Buffer.from('x'.repeat(5000));
const options = { maxMessageBytes: 10_000, expect: () => {} };

test('envelopedMessage, the message, packed or not, whatever the pieces', async () => {
  for (const length of [1, 4, 5, 6, 5005, 10_000]) {
    const plain = envelope(0, content.length, content);
    expect(await collect(envelopedMessage(stream(pieces(plain, [length])), options))).toEqual(
      content,
    );
    const zip = gzipSync(content);
    const packed = envelope(1, zip.length, zip);
    expect(await collect(envelopedMessage(stream(pieces(packed, [length])), options))).toEqual(
      content,
    );
  }
});

test('envelopedMessage and bareMessage, a message as long as one may be is taken', async () => {
  const just = { ...options, maxMessageBytes: content.length };
  const plain = envelope(0, content.length, content);
  expect(await collect(envelopedMessage(stream(pieces(plain, [999])), just))).toEqual(content);
  for (const header of [{}, { 'content-length': String(content.length) }] as HeadersInit[])
    expect(
      await collect(bareMessage(stream(pieces(content, [999])), new Headers(header), just)),
    ).toEqual(content);
});

test('envelopedMessage, its size is told before it comes, when it is known', async () => {
  const told: number[] = [];
  const listening = { maxMessageBytes: 10_000, expect: (bytes: number) => told.push(bytes) };
  const chunks = envelopedMessage(stream([envelope(0, 5000, content)]), listening);
  await chunks.next();
  expect(told).toEqual([5000]);
});

test.each([
  ['nothing', Buffer.alloc(0), 'REQUEST_MALFORMED'],
  ['half a prefix', Buffer.alloc(3), 'REQUEST_MALFORMED'],
  ['less than announced', envelope(0, 5001, content), 'REQUEST_MALFORMED'],
  ['more than announced', envelope(0, 4999, content), 'REQUEST_MALFORMED'],
  [
    'two messages',
    Buffer.concat([envelope(0, 0, Buffer.alloc(0)), envelope(0, 0, Buffer.alloc(0))]),
    'REQUEST_MALFORMED',
  ],
  ['another flag', envelope(2, 5000, content), 'REQUEST_MALFORMED'],
  ['what is not gzip', envelope(1, 5000, content), 'REQUEST_MALFORMED'],
  ['more than allowed, announced', envelope(0, 10_001, content), 'MESSAGE_TOO_LARGE'],
  ['4 GB, announced', envelope(0, 2 ** 32 - 1, content), 'MESSAGE_TOO_LARGE'],
  [
    'a bomb',
    envelope(1, gzipSync(Buffer.alloc(1e6)).length, gzipSync(Buffer.alloc(1e6))),
    'MESSAGE_TOO_LARGE',
  ],
])('envelopedMessage, %s: %s', async (_, bytes, code) => {
  expect(await failureOf(collect(envelopedMessage(stream(pieces(bytes, [999])), options)))).toBe(
    code,
  );
});

test('bareMessage, packed, not packed, too long with and without saying so', async () => {
  const bare = (bytes: Uint8Array, header: Record<string, string>): Promise<Buffer> =>
    collect(bareMessage(stream(pieces(bytes, [999])), new Headers(header), options));
  expect(await bare(content, {})).toEqual(content);
  expect(await bare(gzipSync(content), { 'content-encoding': 'gzip' })).toEqual(content);
  expect(await failureOf(bare(content, { 'content-length': '10001' }))).toBe('MESSAGE_TOO_LARGE');
  expect(await failureOf(bare(Buffer.alloc(10_001), {}))).toBe('MESSAGE_TOO_LARGE');
  const bomb = gzipSync(Buffer.alloc(1e6));
  expect(await failureOf(bare(bomb, { 'content-encoding': 'gzip' }))).toBe('MESSAGE_TOO_LARGE');
});

test('bareMessage, gzip that unpacks to nothing is counted by the bytes that came', async () => {
  const nothing = gzipSync(Buffer.alloc(0));
  let came = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (; came < 100_000; came += nothing.length) yield nothing;
  }
  const packed = new Headers({ 'content-encoding': 'gzip' });
  expect(await failureOf(collect(bareMessage(endless(), packed, options)))).toBe(
    'MESSAGE_TOO_LARGE',
  );
  expect(came).toBeLessThan(11_000);
});

test('createTextBuffers, a text without a known length grows to what the message has left, and is whole', () => {
  const texts = openTexts();
  const text = Buffer.alloc(9_000_000, 'QUJD');
  texts.expect(text.length + 100);
  texts.begin('datas');
  for (const piece of pieces(text, [1_000_003])) texts.write(piece);
  texts.end();
  const [taken] = texts.datas;
  expect(taken && Buffer.compare(taken, text)).toBe(0);
  expect(taken?.buffer.byteLength).toBeWithin(text.length, text.length + 101);
});
