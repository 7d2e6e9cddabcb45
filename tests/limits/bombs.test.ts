/** Small files that would become huge are refused by their headers: at once, without memory, also while all is busy. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Code } from '@connectrpc/connect';
import { failureOf } from '../support/call-failure.ts';
import { largeJpeg } from '../support/large-jpeg.ts';
import { bombs, jpegBomb } from './support/bombs.ts';
import {
  buildTimeout,
  type LimitedOperator,
  outcomeOf,
  startLimited,
  toText,
} from './support/limited-operator.ts';
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

/** The fastest of several: what this machine does besides is not ours. */
async function fastest(times: number, run: () => Promise<void>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await run();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

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

test('a bomb, refused before the rest of it has been sent, also while every thread decodes', async () => {
  const large = toText(await largeJpeg({ width: 8000, height: 4000 }));
  const busy = Array.from({ length: 4 }, () =>
    outcomeOf(operator.client().execute({ datas: [large] })),
  );
  await Bun.sleep(300);
  const start = Buffer.concat([await jpegBomb(), Buffer.alloc(48_000)]).toString('base64');
  const begin = beginningOfExecute(Buffer.from(start.slice(0, 65_500 - 20)), 60e6);
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
  const refused = operator.logs.filter(({ msg }) => msg === 'call').slice(-10);
  expect(refused.map(({ error }) => error)).toEqual(Array(10).fill('IMAGE_TOO_LARGE'));
  expect(ms).toBeLessThan(50);
  expect(await Promise.all(busy)).toEqual(Array(4).fill('ok'));
  console.log(`while every thread decodes: ${ms.toFixed(1)} ms`);
}, 60_000);
