import { expect, test } from 'bun:test';
import { OperatorError } from '../../src/errors.ts';
import { BadRequestSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { toConnectError } from '../../src/server/errors/connect-error.ts';

const { signal } = new AbortController();

test('toConnectError, the bad items fit into the trailers that clients take, however many and wordy', () => {
  const others = Array.from(
    { length: 40 },
    (_, i) => new OperatorError('IMAGE_CORRUPT', 'b'.repeat(1000), { item: i + 1 }),
  );
  const first = new OperatorError('IMAGE_CORRUPT', 'a'.repeat(1000), { item: 0, others });
  const error = toConnectError(first, { record: undefined, field: 'datas', signal });
  const violations = error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? [];
  expect(violations).toHaveLength(16);
  // The first is the message, which is cut where the reply is settled.
  expect(violations.slice(1).map(({ description }) => description)).toEqual(
    Array<string>(15).fill(`${'b'.repeat(160)}…`),
  );
});

test('toConnectError, half a character in a message is none that protobuf refuses to write', () => {
  const half = '😀'.slice(0, 1);
  const others = [new OperatorError('IMAGE_CORRUPT', `${'b'.repeat(159)}😀`, { item: 1 })];
  const first = new OperatorError('IMAGE_CORRUPT', `a${half}`, { item: 0, others });
  const error = toConnectError(first, { record: undefined, field: 'datas', signal });
  expect(error.rawMessage).toBe('datas[0]: a\ufffd');
  const violations = error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? [];
  expect(violations.map(({ description }) => description)).toEqual([
    'a\ufffd',
    `${'b'.repeat(159)}\ufffd…`,
  ]);
});
