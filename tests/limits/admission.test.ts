/** What is let in, and that everything which is held is given back. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  availableMemory,
  shareMemory,
  warnOfLittleMemory,
} from '../../src/embedder/memory-shares.ts';
import { type ErrorCode, OperatorError } from '../../src/errors.ts';
import { openAdmission } from '../support/embedder-options.ts';
import { texturePng } from '../support/pictures.ts';

function refusal(body: () => unknown): Pick<OperatorError, 'code' | 'message' | 'item'> {
  try {
    body();
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('it was let in');
}
const expectRefusal = (code: ErrorCode, flag: string, body: () => unknown, item?: number): void =>
  expect(refusal(body)).toMatchObject({
    code,
    message: expect.stringContaining(flag),
    item,
  });

const png = (width: number, height: number): Uint8Array => texturePng({ width, height, seed: 1 });
const nothing = { bytes: 0, images: 0, urls: 0, pixels: 0 };

test('Ticket, whatever is asked of it: within the limits, and nothing is held when all are closed', () => {
  const small = png(10, 10);
  const step = fc.record({
    who: fc.integer({ min: 0, max: 4 }),
    what: fc.constantFrom('expect', 'hold', 'holdItem', 'add', 'look', 'enqueue', 'done', 'close'),
    bytes: fc.integer({ min: 0, max: 400 }),
    item: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const admission = openAdmission({
        maxImages: 3,
        maxImageBytes: 300,
        maxBytesInFlight: 1000,
        maxQueue: 5,
        maxQueuePixels: 450,
      });
      const tickets = Array.from({ length: 5 }, admission.open);
      for (const { who, what, bytes, item } of steps) {
        const ticket = tickets[who];
        try {
          if (what === 'expect') ticket?.expect(bytes);
          else if (what === 'hold') ticket?.hold(bytes);
          else if (what === 'holdItem') ticket?.hold(bytes, item);
          else if (what === 'add') ticket?.add();
          else if (what === 'look') ticket?.look(item, small, 'file');
          else if (what === 'enqueue') ticket?.enqueue();
          else if (what === 'done') ticket?.done(item);
          else ticket?.close();
        } catch (error) {
          expect(error).toBeInstanceOf(OperatorError);
        }
        const { held } = admission;
        expect(held.bytes).toBeWithin(0, 1001);
        expect(held.images).toBeWithin(0, 8);
        expect(held.pixels).toBeWithin(0, 451);
      }
      for (const ticket of tickets) ticket.close();
      expect(admission.held).toEqual(nothing);
    }),
    { numRuns: 300 },
  );
});

test('Ticket, bytes that were announced count as they come', () => {
  const admission = openAdmission({ maxBytesInFlight: 1000 });
  const ticket = admission.open();
  ticket.expect(900);
  expect(admission.held.bytes).toBe(0);
  ticket.hold(500, ticket.add());
  ticket.hold(300, ticket.add());
  ticket.hold(150);
  expect(admission.held).toEqual({ ...nothing, bytes: 950 });
  ticket.enqueue();
  ticket.done(0);
  expect(admission.held).toMatchObject({ bytes: 450, images: 1 });
});

test('Ticket, who announces and does not send keeps nobody out', () => {
  const admission = openAdmission({ maxBytesInFlight: 1000 });
  for (let i = 0; i < 20; i++) admission.open().expect(1000);
  const honest = admission.open();
  honest.expect(1000);
  honest.hold(1000);
});

test('Ticket, more bytes than all requests together may: refused for good, or for now', () => {
  const admission = openAdmission({ maxBytesInFlight: 1000 });
  expectRefusal('MESSAGE_TOO_LARGE', '(--max-bytes-in-flight)', () =>
    admission.open().expect(1001),
  );
  const first = admission.open();
  first.hold(600);
  expectRefusal('OVERLOADED', '(--max-bytes-in-flight)', () => admission.open().expect(500));
  const slow = admission.open();
  slow.expect(400);
  slow.hold(300);
  admission.open().hold(100);
  expectRefusal('OVERLOADED', '(--max-bytes-in-flight)', () => slow.hold(100));
  first.close();
  admission.open().expect(500);
});

test('Ticket, more images than one call may, or all', () => {
  const admission = openAdmission({ maxImages: 3, maxQueue: 4 });
  const first = admission.open();
  for (let i = 0; i < 3; i++) first.add();
  expectRefusal('TOO_MANY_IMAGES', '(--max-images)', () => first.add(), 3);
  const slow = admission.open();
  for (let i = 0; i < 3; i++) slow.add();
  first.enqueue();
  const second = admission.open();
  second.add();
  expectRefusal('OVERLOADED', '(--max-queue)', () => second.add(), 1);
  first.done(0);
  expect(second.add()).toBe(1);
  second.enqueue();
  expectRefusal('OVERLOADED', '(--max-queue)', () => slow.enqueue());
});

test('Ticket, URLs that wait for their servers do not keep out images that were sent', () => {
  const admission = openAdmission({ maxImages: 4, maxQueue: 4 });
  const slow = admission.open();
  for (let i = 0; i < 4; i++) slow.addUrl();
  slow.enqueue();
  expectRefusal('OVERLOADED', '4 URLs are waiting', () => admission.open().addUrl(), 0);
  const sent = admission.open();
  for (let i = 0; i < 4; i++) sent.add();
  sent.enqueue();
  expect(admission.held).toMatchObject({ images: 4, urls: 4 });
  slow.close();
  sent.close();
  expect(admission.held).toEqual(nothing);
});

test('Ticket, a call that is alone may have as many images as a call may', () => {
  const ticket = openAdmission({ maxImages: 3, maxQueue: 1 }).open();
  for (let i = 0; i < 3; i++) expect(ticket.add()).toBe(i);
});

test('Ticket, an image with too many bytes is refused as soon as they are too many', () => {
  const ticket = openAdmission({ maxImageBytes: 1000 }).open();
  expectRefusal('IMAGE_TOO_LARGE', '(--max-image-bytes)', () => ticket.add(1378), 0);
  const item = ticket.add(1368);
  // 1000 bytes have 1336 characters of base64, and somewhat more in lines.
  ticket.hold(1368, item);
  expectRefusal('IMAGE_TOO_LARGE', '(--max-image-bytes)', () => ticket.hold(10, item), item);
});

test('Ticket, an image is judged by its header: its pixels, the memory it takes, what waits already', () => {
  const picture = png(30, 20);
  const look = (limits: Parameters<typeof openAdmission>[0], images = 1): void => {
    const ticket = openAdmission(limits).open();
    for (let i = 0; i < images; i++) ticket.look(ticket.add(), picture, 'file');
  };
  const text = Buffer.from(Buffer.from(picture).toString('base64'));
  look({ maxImagePixels: 600, maxDecodedBytes: 10_000, maxQueuePixels: 1200 }, 2);
  expectRefusal('IMAGE_TOO_LARGE', '(--max-image-pixels)', () => look({ maxImagePixels: 599 }), 0);
  expectRefusal(
    'IMAGE_TOO_LARGE',
    '(--max-decoded-bytes)',
    () => look({ maxDecodedBytes: 999 }),
    0,
  );
  expectRefusal('OVERLOADED', '(--max-queue-pixels)', () => look({ maxQueuePixels: 1199 }, 2), 1);
  const ticket = openAdmission({ maxImagePixels: 599 }).open();
  expectRefusal(
    'IMAGE_TOO_LARGE',
    '30×20 = 600 pixels',
    () => ticket.look(ticket.add(), text, 'base64'),
    0,
  );
});

test('Ticket, who names images and pixels and does not send the rest keeps nobody out', () => {
  const admission = openAdmission({ maxQueue: 4, maxQueuePixels: 1000 });
  const picture = png(30, 20);
  for (let i = 0; i < 20; i++) {
    const liar = admission.open();
    liar.look(liar.add(), picture, 'file');
  }
  const honest = admission.open();
  honest.look(honest.add(), picture, 'file');
  honest.enqueue();
  expect(admission.held).toMatchObject({ images: 1, pixels: 600 });
  const next = admission.open();
  expectRefusal(
    'OVERLOADED',
    '(--max-queue-pixels)',
    () => next.look(next.add(), picture, 'file'),
    0,
  );
});

test('Ticket, pixels that came at the same time are counted when all of a request has come', () => {
  const admission = openAdmission({ maxQueuePixels: 1000 });
  const [first, second] = [admission.open(), admission.open()];
  for (const ticket of [first, second]) ticket.look(ticket.add(), png(30, 20), 'file');
  first.enqueue();
  expectRefusal('OVERLOADED', '(--max-queue-pixels)', () => second.enqueue(), 0);
  expect(admission.held.pixels).toBe(600);
});

const [MiB, GiB] = [2 ** 20, 2 ** 30];

test.each([
  [GiB, { maxBytesInFlight: 128 * MiB, maxFetchedBytes: 64 * MiB, maxDecodedBytes: 256 * MiB }],
  [
    2 * GiB,
    { maxBytesInFlight: 256 * MiB, maxFetchedBytes: 128 * MiB, maxDecodedBytes: 512 * MiB },
  ],
  [64 * GiB, { maxBytesInFlight: GiB, maxFetchedBytes: 512 * MiB, maxDecodedBytes: 4 * GiB }],
  [
    256 * MiB,
    { maxBytesInFlight: 64 * MiB, maxFetchedBytes: 32 * MiB, maxDecodedBytes: 128 * MiB },
  ],
])('shareMemory, of %d bytes', (memory, shares) => {
  expect(shareMemory(memory)).toEqual(shares);
});

test('shareMemory, less than half of it from 512 MiB on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 512 * MiB, max: 2 ** 42 }), (memory) => {
      const shares = Object.values(shareMemory(memory));
      expect(shares.reduce((sum, share) => sum + share)).toBeLessThanOrEqual(memory / 2);
    }),
  );
});

test('warnOfLittleMemory, below what was seen with the least shares', () => {
  expect(warnOfLittleMemory(640 * MiB)).toBeUndefined();
  expect(warnOfLittleMemory(300 * MiB)).toBe(
    '300 MiB of memory are less than the operator needs; under load it takes up to 640 MiB, whatever --memory says',
  );
});

test('availableMemory, no more than the machine has', () => {
  const [, kilobytes] = /MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  expect(availableMemory()).toBeWithin(64 * MiB, Number(kilobytes) * 1024 + 1);
});
