/** What may happen to a call while its request is still arriving. */
import { describe, expect, test } from 'bun:test';
import { type ClientHttp2Stream, connect } from 'node:http2';
import { eventually } from '../support/eventually.ts';
import { startServer, type TestServer } from './start-server.ts';

/** A call over HTTP/2 whose body is sent by hand. */
function begin({ url }: TestServer, method: string, header: Record<string, string>) {
  const session = connect(url);
  session.on('error', () => {});
  const stream: ClientHttp2Stream = session.request({
    ':method': 'POST',
    ':path': `/omnisearch.Operator/${method}`,
    te: 'trailers',
    ...header,
  });
  let status = '';
  let body = '';
  stream.on('error', () => {});
  stream.on('response', (reply) => {
    status = String(reply['grpc-status'] ?? reply[':status']);
  });
  stream.on('trailers', (trailers) => {
    status = String(trailers['grpc-status'] ?? status);
  });
  stream.setEncoding('latin1').on('data', (text: string) => {
    body += text;
  });
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  const answer = async () => {
    await closed;
    session.destroy();
    return { status, body };
  };
  return { stream, answer };
}

const json = 'application/json';
const grpc = 'application/grpc';
/** The beginning of a message, and that of a JSON document. */
const beginnings: Readonly<Record<string, Buffer | string>> = {
  [grpc]: Buffer.of(0, 0, 0, 0, 9, 0x12),
  [json]: '{"datas":["QUFB',
};

describe("the client's deadline, holds while the request arrives", () => {
  for (const method of ['Execute', 'Healthy'])
    for (const [type, header, late] of [
      [grpc, { 'grpc-timeout': '100m' }, { status: '4' }],
      [json, { 'connect-timeout-ms': '100' }, { status: '504' }],
    ] as const)
      test(`${method}, ${type}`, async () => {
        await using running = await startServer();
        const { stream, answer } = begin(running, method, { 'content-type': type, ...header });
        stream.write(beginnings[type]);
        expect(await answer()).toMatchObject(late);
        const line = await running.logged(({ msg }) => msg === 'call');
        expect(line).toMatchObject({
          error: 'DEADLINE',
          message: "the client's deadline, 0.1 s, has passed",
        });
        expect(running.embedder.admission.held.bytes).toBe(0);
      });
});

test('a deadline that cannot be read is refused', async () => {
  await using running = await startServer();
  const header = { 'content-type': grpc, 'grpc-timeout': 'soon' };
  const { stream, answer } = begin(running, 'Healthy', header);
  stream.end(Buffer.alloc(5));
  expect(await answer()).toMatchObject({ status: '3' });
});

describe('a drain', () => {
  test('lets a request that is arriving come to its end, and answers it', async () => {
    const running = await startServer({ config: { drainTimeout: 20_000 } });
    const { stream, answer } = begin(running, 'Execute', { 'content-type': json });
    stream.write(beginnings[json]);
    await eventually(() => running.embedder.admission.held.bytes > 0);
    const closing = running.server.close();
    await eventually(() => running.server.state === 'draining');
    stream.end('"]}');
    const { status, body } = await answer();
    expect([status, JSON.parse(body).nums]).toEqual(['200', '1']);
    expect(await closing).toBe(0);
  });

  for (const type of [json, grpc])
    test(`tells a request that does not come to its end when it is cut off, ${type}`, async () => {
      const running = await startServer({ config: { drainTimeout: 100 } });
      const { stream, answer } = begin(running, 'Execute', { 'content-type': type });
      stream.write(beginnings[type]);
      await eventually(() => running.server.calls === 1);
      expect(await running.server.close()).toBe(1);
      const { status } = await answer();
      expect(status).toBe(type === grpc ? '14' : '503');
      const line = await running.logged(({ msg }) => msg === 'call');
      expect(line).toMatchObject({ code: 'unavailable', error: 'DRAINING' });
    });
});
