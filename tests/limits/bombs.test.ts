/** Small files that would become huge are refused by their headers: at once, without memory, also while all is busy. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Code } from '@connectrpc/connect';
import { failureOf } from '../support/call-failure.ts';
import { eventually } from '../support/eventually.ts';
import { fastest } from '../support/fastest.ts';
import { largeJpeg } from '../support/large-jpeg.ts';
import { bombs, jpegBomb } from './support/bombs.ts';
import {
  buildTimeout,
  type LimitedOperator,
  outcomeOf,
  startLimited,
  toText,
} from './support/limited-operator.ts';
import { pieces } from './support/pieces.ts';
import {
  answered,
  beginningOfExecute,
  endHeaders,
  fields,
  frame,
  frameType,
  grpcFields,
  openRaw,
} from './support/raw-http2.ts';

let operator: LimitedOperator;
beforeAll(async () => {
  operator = await startLimited();
}, buildTimeout);
afterAll(() => operator?.[Symbol.asyncDispose]());

test.each(Object.entries(bombs))('%s, refused by its header', async (name, make) => {
  const text = toText(await make());
  const client = operator.client();
  await client.healthy({});
  const before = operator.forgetPeak();
  const ms = await fastest(10, async () => {
    const error = await failureOf(client.execute({ datas: [text] }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(
      /^datas\[0\]: the image has \d+×\d+ = \d+ pixels; .*\(--max-image-pixels\)$/,
    );
  });
  expect(ms).toBeLessThan(50);
  expect(operator.peakMb - before).toBeLessThan(24);
  console.log(`${name}: ${ms.toFixed(1)} ms, +${(operator.peakMb - before).toFixed(1)} MB`);
});

test.each(Object.entries(pieces))('%s, read without memory for each', async (name, make) => {
  const { file, message } = await make();
  const text = toText(file);
  const client = operator.client();
  await client.healthy({});
  const before = operator.forgetPeak();
  const ms = await fastest(3, async () => {
    const error = await failureOf(client.execute({ datas: [text] }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(message);
  });
  expect(ms).toBeLessThan(1000);
  // The request itself is here more than once, as it came, as text and as bytes, and that of the run before perhaps still.
  expect(operator.peakMb - before).toBeLessThan(24 + (8 * text.length) / 1e6);
  console.log(
    `${name}, ${(file.length / 1e6).toFixed(1)} MB: ${ms.toFixed(0)} ms, +${(operator.peakMb - before).toFixed(0)} MB`,
  );
});

test('a bomb, refused before the rest of it has been sent, also while every thread decodes', async () => {
  const large = toText(await largeJpeg({ width: 8000, height: 8000 }));
  let decoded = 0;
  const busy = Array.from({ length: 4 }, async () => {
    const outcome = await outcomeOf(operator.client().execute({ datas: [large] }));
    decoded += 1;
    return outcome;
  });
  await Bun.sleep(300);
  const start = Buffer.concat([await jpegBomb(), Buffer.alloc(48_000)]).toString('base64');
  const begin = beginningOfExecute(Buffer.from(start.slice(0, 65_500 - 20)), 60e6);
  const refused = (): number =>
    operator.logs.filter(({ msg, error }) => msg === 'call' && error === 'IMAGE_TOO_LARGE').length;
  const before = refused();
  const ms = await fastest(10, async () => {
    using connection = await openRaw(operator.port);
    await connection.send(
      frame(frameType.headers, endHeaders, 1, fields(grpcFields('Execute'))),
      ...Array.from({ length: 4 }, (_, i) =>
        frame(frameType.data, 0, 1, begin.subarray(i * 16_384, (i + 1) * 16_384)),
      ),
    );
    await answered(connection, 1, 0);
  });
  expect(decoded).toBe(0);
  // The log comes by another way than the answers.
  await eventually(() => refused() >= before + 10);
  expect(refused()).toBe(before + 10);
  expect(ms).toBeLessThan(50);
  expect(await Promise.all(busy)).toEqual(Array(4).fill('ok'));
  console.log(`while every thread decodes: ${ms.toFixed(1)} ms`);
}, 60_000);
