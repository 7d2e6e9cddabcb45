/** A server that does every harm a web server can do to whoever fetches from it. Run by measure-attacks.ts; prints its port. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

const zeros = new Uint8Array(400_000_000);
const bombs = {
  gzip: gzipSync(zeros, { level: 9 }),
  deflate: deflateSync(zeros, { level: 9 }),
  br: brotliCompressSync(zeros, { params: { 1: 1 } }),
};

const ok = (...headers: string[]) => ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n');

/** Writes `piece` for as long as the other side reads. */
function forever(socket: Socket, start: string, piece: Buffer | string): void {
  socket.write(start);
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

function drip(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), 100);
  socket.once('close', () => clearInterval(timer));
}

function bomb(coding: keyof typeof bombs) {
  return (socket: Socket) => {
    const head = ok(`Content-Encoding: ${coding}`, `Content-Length: ${bombs[coding].length}`);
    socket.end(Buffer.concat([Buffer.from(head), bombs[coding]]));
  };
}

const chunked = ok('Transfer-Encoding: chunked');
const megabyte = Buffer.alloc(1_000_000, 120);

const attacks: Record<string, (socket: Socket) => void> = {
  'gzip-bomb': bomb('gzip'),
  'deflate-bomb': bomb('deflate'),
  'br-bomb': bomb('br'),
  'gzip-of-nothing': (socket) =>
    forever(
      socket,
      ok('Content-Encoding: gzip'),
      Buffer.concat(Array.from({ length: 5_000 }, () => gzipSync(''))),
    ),
  'endless-body': (socket) => forever(socket, ok(), megabyte),
  'one-byte-chunks': (socket) => forever(socket, chunked, '1\r\nx\r\n'.repeat(20_000)),
  'chunk-extensions': (socket) => forever(socket, `${chunked}5;`, megabyte),
  trailers: (socket) => forever(socket, `${chunked}1\r\nx\r\n0\r\nT: `, megabyte),
  'endless-header': (socket) => forever(socket, 'HTTP/1.1 200 OK\r\nX: ', megabyte),
  'early-hints': (socket) => forever(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2_000)),
  'announced-terabyte': (socket) => socket.write(ok('Content-Length: 1099511627776')),
  silent: () => {},
  'dripping-header': (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'X: y\r\n'),
  'dripping-body': (socket) => drip(socket, ok('Content-Length: 100000'), 'x'),
  'redirect-loop': (socket) =>
    socket.end('HTTP/1.1 302 Found\r\nLocation: /redirect-loop\r\nContent-Length: 0\r\n\r\n'),
  'redirect-inside': (socket) =>
    socket.end(
      'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n',
    ),
  'small-file': (socket) => {
    const body = Buffer.alloc(100_000);
    setTimeout(() => {
      socket.end(Buffer.concat([Buffer.from(ok(`Content-Length: ${body.length}`)), body]));
    }, 50);
  },
};

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (head) => {
    const path = head.toString('latin1').split(' ')[1]?.slice(1) ?? '';
    attacks[path]?.(socket);
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
