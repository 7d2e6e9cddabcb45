/** Attacks of a few bytes that once kept all others out; told is how many Executes of an honest client came through meanwhile. */
import { connect, type Socket } from 'node:net';
import type { LimitedOperator } from '../tests/limits/support/limited-operator.ts';
import { outcomeOf, toText } from '../tests/limits/support/limited-operator.ts';
import * as http2 from '../tests/limits/support/raw-http2.ts';
import { texturePng } from '../tests/support/pictures.ts';

const picture = (): string => toText(texturePng({ width: 900, height: 700, seed: 1 }));

type Attack = (operator: LimitedOperator) => Promise<string>;
const { frame, frameType, fields, grpcFields, endHeaders, endStream } = http2;

/** The first of 100 streams on each of so many connections; `again` is sent once a second on all of them. */
const holding =
  (
    connections: number,
    first: (stream: number) => Uint8Array,
    again?: (stream: number) => Uint8Array,
  ): Attack =>
  async (operator) => {
    const list = await Promise.all(
      Array.from({ length: connections }, () => http2.openRaw(operator.port)),
    );
    const streams = Array.from({ length: 100 }, (_, i) => 2 * i + 1);
    for (const one of list) await one.send(...streams.map(first));
    await Bun.sleep(1500);
    const outcomes: string[] = [];
    const sent = picture();
    for (let second = 0; second < 5; second++) {
      if (again) for (const one of list) await one.send(...streams.map(again));
      for (let i = 0; i < 5; i++, await Bun.sleep(200))
        outcomes.push(await outcomeOf(operator.client().execute({ datas: [sent] })));
    }
    const health = await fetch(`${operator.url}/healthz`);
    for (const one of list) one.socket.destroy();
    const others = new Set(outcomes.filter((outcome) => outcome !== 'ok'));
    const ok = outcomes.filter((outcome) => outcome === 'ok').length;
    return `Execute answered ${ok} of ${outcomes.length}${[...others].map((text) => `, “${text}”`)}; /healthz ${health.status}`;
  };

const headers = (path: string, stream: number, flags = endHeaders): Buffer =>
  frame(frameType.headers, flags, stream, fields({ ...grpcFields(''), ':path': path }));
const execute = '/omnisearch.Operator/Execute';
const begun = (stream: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([headers(execute, stream), frame(frameType.data, 0, stream, bytes)]);
/** A hundredth of what all may hold. */
const announced = http2.beginningOfExecute(Buffer.alloc(0), 10.23 * 2 ** 20);
const emptyImages = Buffer.concat(Array<Buffer>(256).fill(Buffer.of(0x12, 0)));
/** So many short connections at a time, each followed by another; the honest client keeps its own, over HTTP/1.1. */
const crowd =
  (atATime: number): Attack =>
  async (operator) => {
    let [over, opened] = [false, 0];
    const next = (): void => {
      if (over) return;
      const socket = connect(operator.port, '127.0.0.1', () => socket.write(shortRequest));
      socket.on('error', () => {});
      socket.once('data', () => socket.destroy());
      socket.once('close', next);
      opened++;
    };
    for (let i = 0; i < atATime; i++) next();
    await Bun.sleep(500);
    const body = JSON.stringify({ datas: [picture()] });
    const headers = { 'content-type': 'application/json' };
    const times: number[] = [];
    for (let i = 0; i < 25; i++, await Bun.sleep(200)) {
      const begun = performance.now();
      const signal = AbortSignal.timeout(5000);
      const call = { method: 'POST', headers, body, signal };
      const reply = await fetch(`${operator.url}${execute}`, call).catch(() => undefined);
      if (reply?.ok && (await reply.text())) times.push(performance.now() - begun);
    }
    over = true;
    const longest = Math.max(...times).toFixed(0);
    return `${opened} connections; Execute answered ${times.length} of 25, the longest in ${longest} ms`;
  };

/** So many connections without a word, each opened again when it is closed; the honest client has a new one for each call. */
const silent =
  (count: number): Attack =>
  async (operator) => {
    let over = false;
    const open = new Set<Socket>();
    const next = (): void => {
      if (over) return;
      const socket = connect(operator.port, '127.0.0.1');
      open.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        open.delete(socket);
        setTimeout(next, 100);
      });
    };
    for (let i = 0; i < count; i++) next();
    await Bun.sleep(1500);
    const outcomes: string[] = [];
    const sent = picture();
    for (let i = 0; i < 25; i++, await Bun.sleep(200))
      outcomes.push(await outcomeOf(operator.client().execute({ datas: [sent] })));
    over = true;
    for (const socket of open) socket.destroy();
    const ok = outcomes.filter((outcome) => outcome === 'ok').length;
    return `Execute answered ${ok} of ${outcomes.length}`;
  };

const shortRequest = `POST /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6000\r\n\r\n${'x'.repeat(6000)}`;

export const holdingAttacks: Readonly<Record<string, Attack>> = {
  'holding: 100 messages of 10 MiB announced, a byte a second': holding(
    1,
    (stream) => begun(stream, announced),
    (stream) => frame(frameType.data, 0, stream, Buffer.of(0x41)),
  ),
  'holding: short connections without end, 64 at a time': crowd(64),
  'holding: 1024 connections that say nothing': silent(1024),
  'holding: 2100 Watch streams': holding(21, (stream) =>
    Buffer.concat([
      headers('/grpc.health.v1.Health/Watch', stream),
      frame(frameType.data, endStream, stream, Buffer.alloc(5)),
    ]),
  ),
  'holding: 2100 Executes that do not come': holding(21, (stream) => headers(execute, stream)),
  'holding: 100 requests of 256 empty images that do not end': holding(1, (stream) =>
    begun(stream, Buffer.concat([announced.subarray(0, 5), emptyImages])),
  ),
};
