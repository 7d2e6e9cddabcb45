/** What a client is told of an answer that is given up. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createServer, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { abandon } from '../../src/server/limits/abandon.ts';
import { hangUp } from '../../src/server/limits/hang-up.ts';
import {
  endHeaders,
  endStream,
  type Frame,
  frameType,
  headersOf,
  openRaw,
} from '../limits/support/raw-http2.ts';
import { eventually } from '../support/eventually.ts';

/** By the method that is called. */
const answers: Readonly<Record<string, (response: Http2ServerResponse) => void>> = {
  Nothing: (response) => abandon(response),
  Late: (response) => hangUp(response),
  Half: (response) => response.write('half', () => abandon(response)),
  Unread: (response) => {
    response.end(Buffer.alloc(200_000));
    setImmediate(abandon, response);
  },
};
const server = createServer((request, response) => {
  request.on('error', () => {});
  answers[request.url.split('/').at(-1) ?? '']?.(response);
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => void server.close());

const internalError = 2;

/** The frames of its stream up to the one that ends it. */
async function answerTo(method: string, flags: number): Promise<readonly Frame[]> {
  using connection = await openRaw((server.address() as AddressInfo).port);
  await connection.send(headersOf(method, 1, flags));
  const ofStream = (): Frame[] => connection.frames.filter(({ stream }) => stream === 1);
  await eventually(() =>
    ofStream().some(
      ({ type, flags: f }) => type === frameType.resetStream || (f & endStream) !== 0,
    ),
  );
  return ofStream();
}

test.each(Object.keys(answers))('%s, its stream is reset and does not end', async (method) => {
  const whole = [endHeaders | endStream, endHeaders];
  for (const frames of await Promise.all(whole.map((flags) => answerTo(method, flags)))) {
    expect(frames.at(-1)).toMatchObject({ type: frameType.resetStream });
    expect(frames.at(-1)?.payload.readUInt32BE()).toBe(internalError);
  }
});
