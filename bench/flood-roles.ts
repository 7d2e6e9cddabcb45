/**
 * The two other processes of bench/flood.ts: `flood PORT COUNT FILE json|grpc` sends COUNT requests at once, each on a connection
 * of its own; `probe PORT PID` calls Healthy over and over until it is told to end. Both print one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import {
  answered,
  beginningOfExecute,
  endHeaders,
  endStream,
  fields,
  frame,
  frameType,
  grpcFields,
  openRaw,
} from '../tests/limits/support/raw-http2.ts';

export interface FloodFigures {
  readonly seconds: number;
  /** How many requests ended in which way. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Milliseconds of one thread: on a core, and ready but without one. */
interface Schedule {
  readonly ran: number;
  readonly waited: number;
}

export interface ProbeFigures {
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Of the slowest call: how long the operator's main thread computed meanwhile, and waited for a core. */
  readonly slowest: Schedule;
  /** The longest that the main thread computed during a call in which it did not wait 20 ms or more for a core. */
  readonly mostRan: number;
  /** The longest that this process itself was kept from running. */
  readonly ownLag: number;
}

const pieceBytes = 64 * 1024;

/** @returns `ok`, or what the status says */
function execute(port: number, message: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    let said = 'no answer';
    const note = (headers: Record<string, unknown>): void => {
      const status = headers['grpc-status'];
      if (status !== undefined)
        said = status === '0' ? 'ok' : decodeURIComponent(String(headers['grpc-message']));
    };
    const end = (): void => {
      session.destroy();
      resolve(said);
    };
    session.once('error', end);
    const stream = session.request(grpcFields('Execute'));
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', () => {});
    stream.on('close', end);
    stream.resume();
    let at = 0;
    const push = (): void => {
      while (at < message.length && !stream.closed) {
        const more = stream.write(message.subarray(at, at + pieceBytes));
        at += pieceBytes;
        if (!more) return void stream.once('drain', push);
      }
      if (!stream.closed) stream.end();
    };
    push();
  });
}

function post(port: number, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString();
      const refused = !said.startsWith('HTTP/1.1 200');
      if (!said.includes('\r\n\r\n') || (refused && !/"message":"[^"]*"/.test(said))) return;
      socket.destroy();
      const message = /"message":"([^"]*)"/.exec(said)?.[1];
      resolve(refused ? (message ?? '') : 'ok');
    });
    socket.on('error', () => resolve('connection lost'));
    socket.write(
      `POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    let at = 0;
    const push = (): void => {
      while (at < body.length && !socket.destroyed) {
        const more = socket.write(body.subarray(at, at + pieceBytes));
        at += pieceBytes;
        if (!more) return void socket.once('drain', push);
      }
    };
    push();
  });
}

async function flood(
  port: number,
  count: number,
  file: string,
  kind: string,
): Promise<FloodFigures> {
  const text = Buffer.from(readFileSync(file).toString('base64'), 'latin1');
  const json = Buffer.concat([Buffer.from('{"datas":["'), text, Buffer.from('"]}')]);
  const grpc = beginningOfExecute(text, text.length);
  const outcomes: Record<string, number> = {};
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: count }, async () => {
      const said = await (kind === 'json' ? post(port, json) : execute(port, grpc));
      // Numbers differ from call to call.
      const outcome = said.replace(/\d{3,}/g, 'N');
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }),
  );
  return { seconds: (performance.now() - begun) / 1000, outcomes };
}

/** Healthy as Phantoscope calls it: a new connection every time. */
async function healthy(port: number): Promise<number> {
  const begun = performance.now();
  using connection = await openRaw(port);
  await connection.send(
    frame(frameType.headers, endHeaders, 1, fields(grpcFields('Healthy'))),
    frame(frameType.data, endStream, 1, Buffer.alloc(5)),
  );
  return await answered(connection, 1, begun);
}

/** Of the operator's main thread, milliseconds since it began (Documentation/scheduler/sched-stats.rst). */
function schedule(pid: number): Schedule {
  const [ran = 0, waited = 0] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')
    .split(' ')
    .map(Number);
  return { ran: ran / 1e6, waited: waited / 1e6 };
}

async function probe(port: number, pid: number): Promise<ProbeFigures> {
  let ended = false;
  process.once('SIGTERM', () => {
    ended = true;
  });
  let ownLag = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    ownLag = Math.max(ownLag, now - last - 2);
    last = now;
  }, 2);
  const times: number[] = [];
  let slowest = { ran: 0, waited: 0 };
  let mostRan = 0;
  let max = 0;
  while (!ended) {
    const before = schedule(pid);
    const ms = await healthy(port).catch(() => undefined);
    if (ms === undefined) continue;
    const after = schedule(pid);
    times.push(ms);
    if (after.waited - before.waited < 20) mostRan = Math.max(mostRan, after.ran - before.ran);
    if (ms > max) {
      max = ms;
      slowest = { ran: after.ran - before.ran, waited: after.waited - before.waited };
    }
    await Bun.sleep(10);
  }
  clearInterval(timer);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? 0;
  return { count: times.length, p50: at(0.5), p99: at(0.99), max, slowest, mostRan, ownLag };
}

const [role, port, second = '', file = '', kind = ''] = process.argv.slice(2);
const figures =
  role === 'flood'
    ? await flood(Number(port), Number(second), file, kind)
    : await probe(Number(port), Number(second));
console.log(JSON.stringify(figures));
process.exit(0);
