/**
 * The figures of SECURITY.md for requests and connections that are too much: `npm run bench -- attacks`. Each is done to the
 * compiled executable (a small model; what it does to images does not matter here); printed are what came back, how long that
 * took, by how much resident memory rose, and how Healthy fared meanwhile, called by a process of its own.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { gzipSync } from 'node:zlib';
import { text } from '../model/options.ts';
import { ConfigError } from '../src/errors.ts';
import { bombs } from '../tests/limits/support/bombs.ts';
import {
  type LimitedOperator,
  outcomeOf,
  startLimited,
  toText,
} from '../tests/limits/support/limited-operator.ts';
import * as http2 from '../tests/limits/support/raw-http2.ts';
import { data } from '../tests/support/data.ts';
import { chunked, frames, headers, many, path, post, talk } from './attack-tools.ts';
import { holdingAttacks } from './holding.ts';
import { benchOptions } from './options.ts';
import { probing, tell } from './probing.ts';

type Attack = (operator: LimitedOperator) => Promise<string>;
const { frame, frameType, fields, endStream, endHeaders } = http2;

const without =
  (one: Uint8Array): Attack =>
  ({ port }) =>
    frames(port, [headers('Execute'), ...Array<Buffer>(1000).fill(many(one))]);

const nowhere = fields({ ...http2.grpcFields(''), ':path': '/a.b/C' });

const execute =
  (make: () => Promise<Uint8Array> | Uint8Array): Attack =>
  async (operator) =>
    outcomeOf(operator.client().execute({ datas: [toText(await make())] }));
const file = (name: string): Attack => execute(() => Bun.file(`${data.edge}/${name}`).bytes());

const attacks: Readonly<Record<string, Attack>> = {
  ...Object.fromEntries(Object.entries(bombs).map(([name, make]) => [name, execute(make)])),
  'a message of 3 GB, announced': ({ port }) =>
    frames(port, [
      headers('Execute'),
      frame(frameType.data, 0, 1, http2.beginningOfExecute(Buffer.alloc(0), 3e9)),
    ]),
  'a JSON body of 1 EB, announced': ({ port }) =>
    talk(port, [
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000000000000000\r\n\r\n{`,
    ]),
  'a JSON body of spaces, without end': ({ port }) =>
    talk(port, chunked(Buffer.alloc(65_536, ' '), 3000)),
  'an image in JSON, without end': ({ port }) =>
    talk(port, [
      ...chunked(Buffer.from('{"datas":["'), 1),
      ...chunked(Buffer.alloc(65_536, 'A'), 4000).slice(1),
    ]),
  '2000 images': (operator) =>
    outcomeOf(operator.client().execute({ datas: Array<string>(2000).fill('a'.repeat(1000)) })),
  'a gzip bomb of 1 GB': ({ port }) =>
    talk(port, chunked(gzipOfZeros(), 1, 'Content-Encoding: gzip')),
  'gzip that unpacks to nothing, without end': ({ port }) =>
    talk(port, chunked(many(gzipSync(''), 3000), 4000, 'Content-Encoding: gzip')),
  'malformed protobuf': ({ port }) =>
    frames(port, [
      headers('Execute'),
      frame(frameType.data, endStream, 1, Buffer.of(0, 0, 0, 0, 2, 0xff, 0xff)),
    ]),
  'a megabyte of brackets in JSON': ({ port }) => talk(port, post('['.repeat(1e6))),
  '100000 made-up names in JSON': ({ port }) =>
    talk(port, post(`{${Array.from({ length: 1e5 }, (_, i) => `"a${i}":1`).join()}}`)),
  'a request in crumbs of a byte': ({ port }) =>
    frames(port, [
      headers('Execute'),
      frame(frameType.data, 0, 1, http2.beginningOfExecute(Buffer.alloc(0), 1e6)),
      ...Array<Buffer>(20).fill(many(frame(frameType.data, 0, 1, Buffer.of(65)))),
    ]),
  'a header of 20 kB, HTTP/1.1': ({ port }) =>
    talk(port, [`GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(20_000)}\r\n\r\n`]),
  'a header without end, HTTP/2': ({ port }) =>
    frames(port, [
      headers('Execute', 1, {}, 0),
      ...Array<Buffer>(10_000).fill(
        frame(frameType.continuation, 0, 1, fields({ 'x-a': 'b'.repeat(1000) })),
      ),
    ]),
  'pings without end': without(frame(frameType.ping, 0, 0, Buffer.alloc(8))),
  'settings without end': without(frame(frameType.settings, 0, 0, http2.setting(4, 65_535))),
  'data without content': without(frame(frameType.data, 0, 1)),
  'frames that do nothing, without end (PRIORITY)': without(
    frame(2, 0, 1, Buffer.from([0, 0, 0, 3, 1])),
  ),
  'frames that do nothing, without end (WINDOW_UPDATE)': without(
    frame(frameType.windowUpdate, 0, 1, http2.uint32(1)),
  ),
  'frames that do nothing, without end (CONTINUATION)': ({ port }) =>
    frames(port, [
      headers('Execute', 1, {}, 0),
      ...Array<Buffer>(5000).fill(many(frame(frameType.continuation, 0, 1))),
    ]),
  'methods that are not there, without end': ({ port }) =>
    frames(
      port,
      Array.from({ length: 1000 }, (_, i) =>
        Buffer.concat(
          Array.from({ length: 50 }, (_, k) =>
            frame(frameType.headers, endHeaders | endStream, 2 * (50 * i + k) + 1, nowhere),
          ),
        ),
      ),
      10_000,
      (f) => f.type === frameType.goAway,
    ),
  'grpc-web-text, padded in every group': ({ port }) =>
    talk(
      port,
      [
        ...chunked(Buffer.from('AAKAAAAS'), 1, 'Content-Type: application/grpc-web-text'),
        ...chunked(Buffer.alloc(2 ** 20, 'QQ=='), 80).slice(1),
      ].map((piece, i) =>
        i === 0 ? String(piece).replace('Content-Type: application/json\r\n', '') : piece,
      ),
      5000,
    ),
  '2000 files of the page that nobody reads': async ({ port }) => {
    const list = await Promise.all(
      Array.from({ length: 20 }, () => http2.openRaw(port, http2.setting(4, 0))),
    );
    const page = fields({
      ':method': 'GET',
      ':scheme': 'http',
      ':path': '/page.js',
      ':authority': 'a',
    });
    for (const one of list)
      for (let i = 0; i < 100; i++)
        await one.send(frame(frameType.headers, endHeaders | endStream, 2 * i + 1, page));
    await Bun.sleep(2000);
    for (const one of list) one.socket.destroy();
    return 'left';
  },
  'streams opened and reset, without end': ({ port }) =>
    frames(
      port,
      Array.from({ length: 50_000 }, (_, i) =>
        Buffer.concat([
          headers('Execute', 2 * i + 1),
          frame(frameType.resetStream, 0, 2 * i + 1, http2.uint32(8)),
        ]),
      ),
    ),
  '200 streams on one connection': ({ port }) =>
    frames(
      port,
      Array.from({ length: 200 }, (_, i) => headers('Execute', 2 * i + 1)),
    ),
  '1000 requests in one packet': async ({ port }) =>
    talk(
      port,
      [
        post('{}')
          .join('')
          .replace('Connection: close\r\n', '')
          .replace('Execute', 'Healthy')
          .repeat(1000),
      ],
      2000,
    ),
  '1100 connections': async (operator) => {
    const list = await Promise.all(
      Array.from({ length: 1100 }, () => http2.openRaw(operator.port)),
    );
    let closed = 0;
    for (const one of list) void one.closed.then(() => closed++);
    await Bun.sleep(500);
    for (const one of list) one.socket.destroy();
    return `${closed} closed`;
  },
  ...holdingAttacks,
  '2200 calls': async (operator) => {
    const list = await Promise.all(Array.from({ length: 22 }, () => http2.openRaw(operator.port)));
    for (const one of list)
      await one.send(...Array.from({ length: 100 }, (_, i) => headers('Execute', 2 * i + 1)));
    await Bun.sleep(1500);
    const refused = list
      .flatMap((one) => one.frames)
      .filter(({ type, payload }) => type === frameType.headers && payload.length > 0).length;
    for (const one of list) one.socket.destroy();
    return `${refused} refused`;
  },
};

function gzipOfZeros(): Buffer {
  const one = gzipSync(Buffer.alloc(10e6, ' '));
  return Buffer.concat(Array<Buffer>(100).fill(one));
}

const shared: Readonly<Record<string, Attack>> = existsSync(data.edge)
  ? {
      'edge: a PNG of 65536×65536': file('65536-uint32-limit.png'),
      'edge: a JPEG of 20000×14000': file('giant-image.jpg'),
    }
  : {};

const { only } = benchOptions({
  usage: 'attacks',
  about:
    'Requests and connections that are too much: what comes back, how much memory it takes, and how Healthy fares.',
  table: { only: text('WORDS', 'only those whose name has these words (default: all)') },
});
const chosen = Object.entries({ ...shared, ...attacks }).filter(([name]) =>
  name.includes(only ?? ''),
);
if (chosen.length === 0) throw new ConfigError(`--only ${only}: no attack has these words`);
await using operator = await startLimited();
await operator.client().execute({ datas: [] });
for (const [name, attack] of chosen) {
  const before = operator.forgetPeak();
  let outcome = '';
  let ms = 0;
  const [, figures] = await probing(operator.port, operator.pid, async () => {
    await Bun.sleep(300);
    const begun = performance.now();
    outcome = await attack(operator);
    ms = performance.now() - begun;
    await Bun.sleep(300);
  });
  console.log(
    `${name} (load ${loadavg()[0]?.toFixed(1)}): ${outcome.slice(0, 200)}\n  ${ms.toFixed(1)} ms, +${(operator.peakMb - before).toFixed(0)} MB; Healthy ${tell(figures)}`,
  );
}
// `process.exit` passes over `await using`.
await operator[Symbol.asyncDispose]();
process.exit(0);
