import { describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { eventually } from '../support/eventually.ts';
import { fetcher, response, serve } from './loopback-server.ts';

const maxImageBytes = 1_000_000;
const tooLarge = {
  code: 'IMAGE_TOO_LARGE',
  message: 'the file at the URL has more than 1000000 bytes (--max-image-bytes)',
};
const noise = (size: number) => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)));
  }
  return bytes;
};

describe('fetch, gives back the very bytes', () => {
  const file = noise(300_000);
  test.each([
    ['with a length', response(file)],
    [
      'until the end of the connection',
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), file]),
    ],
    ['in gzip', response(gzipSync(file), ['Content-Encoding: gzip'])],
    ['in x-gzip', response(gzipSync(file), ['Content-Encoding: X-GZIP'])],
    ['in deflate', response(deflateSync(file), ['Content-Encoding: deflate'])],
    ['in br', response(brotliCompressSync(file), ['Content-Encoding: br'])],
    [
      'after 100 and 103',
      Buffer.concat([
        Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n'),
        response(file),
      ]),
    ],
  ])('%s', async (_, bytes) => {
    using server = await serve((socket) => socket.end(bytes));
    const fetched = await fetcher()(server.origin);
    expect(Buffer.compare(fetched, file)).toBe(0);
    // The decoding thread gets it by transfer: nothing else may lie in the same buffer.
    expect(fetched.buffer.byteLength).toBe(file.length);
  });
});

test('fetch, an empty file is given back empty', async () => {
  using server = await serve((socket) => socket.end(response('')));
  expect(await fetcher()(server.origin)).toHaveLength(0);
});

test('fetch, exactly the limit passes, in plain and in gzip, and one byte more does not', async () => {
  for (const gzip of [false, true]) {
    for (const size of [maxImageBytes, maxImageBytes + 1]) {
      const file = new Uint8Array(size);
      const bytes = gzip ? response(gzipSync(file), ['Content-Encoding: gzip']) : response(file);
      using server = await serve((socket) => socket.end(bytes));
      const outcome = fetcher({ maxImageBytes })(server.origin);
      if (size > maxImageBytes) await expect(outcome).rejects.toMatchObject(tooLarge);
      else expect(await outcome).toHaveLength(size);
    }
  }
});

test('fetch, a Content-Length over the limit is refused before the body comes', async () => {
  using server = await serve((socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n'),
  );
  await expect(fetcher({ maxImageBytes })(server.origin)).rejects.toMatchObject(tooLarge);
});

test('fetch, a body without end is stopped at the limit', async () => {
  let sent = 0;
  using server = await serve((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.concat([
      Buffer.from('10000\r\n'),
      Buffer.alloc(65_536),
      Buffer.from('\r\n'),
    ]);
    const more = () => {
      while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
    };
    socket.on('drain', more);
    more();
  });
  await expect(fetcher({ maxImageBytes })(server.origin)).rejects.toMatchObject(tooLarge);
  await eventually(() => server.connections.size === 0);
  expect(sent).toBeLessThan(32_000_000); // what the kernel's buffers took beside the megabyte
});

describe('fetch, a bomb is stopped at the limit, not unpacked', () => {
  const zeros = new Uint8Array(200_000_000);
  test.each([
    ['gzip', () => gzipSync(zeros, { level: 9 })],
    ['deflate', () => deflateSync(zeros, { level: 9 })],
    ['br', () => brotliCompressSync(zeros, { params: { 1: 1 } })],
  ])('200 MB of zeros in %s', async (coding, pack) => {
    const bomb = pack();
    expect(bomb.length).toBeLessThan(maxImageBytes);
    using server = await serve((socket) =>
      socket.end(response(bomb, [`Content-Encoding: ${coding}`])),
    );
    const before = process.memoryUsage().rss;
    await expect(fetcher({ maxImageBytes })(server.origin)).rejects.toMatchObject(tooLarge);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });
});

test('fetch, gzip that unpacks to nothing for ever is stopped by the bytes that came', async () => {
  const empty = Buffer.concat(Array.from({ length: 5_000 }, () => gzipSync('')));
  using server = await serve((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n');
    const more = () => {
      while (!socket.destroyed && socket.write(empty)) {}
    };
    socket.on('drain', more);
    more();
  });
  await expect(fetcher({ maxImageBytes })(server.origin)).rejects.toMatchObject(tooLarge);
});

describe('fetch, a body in chunks of', () => {
  const inChunks = (size: number, count: number) => {
    const chunk = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`;
    return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(count)}0\r\n\r\n`;
  };
  test.each([
    [1, 4_000, true],
    [1, 5_000, false],
    [255, 5_000, false],
    [257, 3_800, true],
  ])('%d bytes, %d of them: %p', async (size, count, passes) => {
    using server = await serve((socket) => socket.end(inChunks(size, count)));
    const outcome = fetcher({ maxImageBytes: 2_000_000 })(server.origin);
    if (passes) expect(await outcome).toHaveLength(size * count);
    else {
      await expect(outcome).rejects.toMatchObject({
        code: 'URL_BAD_RESPONSE',
        message: '127.0.0.1 sends its answer in too small pieces',
      });
    }
  });
});

describe('fetch, what comes beside the body without end is stopped', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  test.each([
    ['chunk extensions', `${chunked}5;`],
    ['trailers', `${chunked}1\r\nx\r\n0\r\nT: `],
    ['a header', 'HTTP/1.1 200 OK\r\nX: '],
  ])('%s', async (_, start) => {
    let sent = 0;
    const piece = 'x'.repeat(65_536);
    using server = await serve((socket) => {
      socket.write(start);
      const more = () => {
        while (!socket.destroyed && socket.write(piece)) sent += piece.length;
      };
      socket.on('drain', more);
      more();
    });
    await expect(fetcher()(server.origin)).rejects.toMatchObject({
      code: expect.stringMatching(/^URL_(BAD_RESPONSE|UNREACHABLE)$/),
    });
    expect(sent).toBeLessThan(32_000_000);
  });
});

describe('fetch, a body that is broken', () => {
  const gz = gzipSync(noise(10_000));
  test.each([
    [
      'shorter than its length',
      'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello',
      'URL_UNREACHABLE',
    ],
    [
      'chunked without its end',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'URL_UNREACHABLE',
    ],
    [
      'chunked wrongly',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n',
      'URL_UNREACHABLE',
    ],
    [
      'truncated gzip',
      response(gz.subarray(0, 5_000), ['Content-Encoding: gzip']),
      'URL_BAD_RESPONSE',
    ],
    ['no gzip', response('hello, world', ['Content-Encoding: gzip']), 'URL_BAD_RESPONSE'],
    ['no deflate', response('hello, world', ['Content-Encoding: deflate']), 'URL_BAD_RESPONSE'],
    ['no brotli', response('hello, world', ['Content-Encoding: br']), 'URL_BAD_RESPONSE'],
    ['empty gzip', response('', ['Content-Encoding: gzip']), 'URL_BAD_RESPONSE'],
    ['packed twice', response(gz, ['Content-Encoding: gzip, gzip']), 'URL_BAD_RESPONSE'],
    ['in zstd', response('hello', ['Content-Encoding: zstd']), 'URL_BAD_RESPONSE'],
    ['in __proto__', response('hello', ['Content-Encoding: __proto__']), 'URL_BAD_RESPONSE'],
  ])('%s', async (_, bytes, code) => {
    using server = await serve((socket) => socket.end(bytes));
    await expect(fetcher()(server.origin)).rejects.toMatchObject({ code });
  });
});

test('fetch, what failed half-way holds no memory', async () => {
  using server = await serve((socket) =>
    socket.end(
      Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n'),
        Buffer.alloc(600_000),
      ]),
    ),
  );
  // Room for one such file.
  const fetch = fetcher({ maxImageBytes, maxFetchedBytes: maxImageBytes });
  for (let round = 0; round < 3; round++)
    await expect(fetch(server.origin)).rejects.toMatchObject({ code: 'URL_UNREACHABLE' });
});

describe('fetch, what is not HTTP', () => {
  test.each([
    ['nothing at all', '', 'URL_UNREACHABLE'],
    ['a greeting of SSH', 'SSH-2.0-OpenSSH_9.6\r\n', 'URL_BAD_RESPONSE'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'URL_BAD_RESPONSE',
    ],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nhello', 'URL_BAD_RESPONSE'],
    [
      'a header of 100 kB',
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\nhello`,
      'URL_BAD_RESPONSE',
    ],
    [
      'interim responses only',
      'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000),
      'URL_BAD_RESPONSE',
    ],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
      'URL_BAD_RESPONSE',
    ],
  ])('%s', async (_, bytes, code) => {
    using server = await serve((socket) => socket.end(bytes));
    await expect(fetcher()(server.origin)).rejects.toMatchObject({ code });
  });
});
