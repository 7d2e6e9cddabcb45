/** The queue that sends the pictures. */
import { expect, test } from 'bun:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { BadRequestSchema, ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { failureOf } from '../../src/page/browser/failure.ts';
import { createGallery, finished } from '../../src/page/browser/gallery.ts';
import type { Embedding } from '../../src/page/browser/operator.ts';

const file = (name: string): File => new File([name], name);
const embedding: Embedding = { vector: Float32Array.of(1, 0), stages: [], totalMs: 1 };

function setUp() {
  const calls: { signal: AbortSignal; answer: PromiseWithResolvers<Embedding> }[] = [];
  const gallery = createGallery({
    embed(_, signal) {
      const answer = Promise.withResolvers<Embedding>();
      calls.push({ signal, answer });
      return answer.promise;
    },
    changed: () => {},
  });
  const steps = (): string[] => gallery.pictures.map(({ state }) => state.step);
  return { gallery, calls, steps };
}

test('createGallery, two pictures at a time, in order', async () => {
  const { gallery, calls, steps } = setUp();
  gallery.add(['a', 'b', 'c', 'd'].map(file));
  expect(steps()).toEqual(['working', 'working', 'waiting', 'waiting']);
  calls[1]?.answer.resolve(embedding);
  await Bun.sleep(0);
  expect(steps()).toEqual(['working', 'done', 'working', 'waiting']);
  for (const at of [0, 2]) calls[at]?.answer.resolve(embedding);
  await Bun.sleep(0);
  calls[3]?.answer.resolve(embedding);
  await Bun.sleep(0);
  expect(finished(gallery).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  expect(gallery.similarity.cosine(1, 4)).toBe(1);
});

test('createGallery, one failure leaves the others alone and can be tried again', async () => {
  const { gallery, calls, steps } = setUp();
  gallery.add(['a', 'b'].map(file));
  calls[0]?.answer.reject(new ConnectError('busy', Code.ResourceExhausted));
  calls[1]?.answer.resolve(embedding);
  await Bun.sleep(0);
  expect(steps()).toEqual(['failed', 'done']);
  gallery.retry(gallery.pictures[0]!);
  expect(steps()).toEqual(['working', 'done']);
  calls[2]?.answer.resolve(embedding);
  await Bun.sleep(0);
  expect(steps()).toEqual(['done', 'done']);
});

test('createGallery, what is removed is called off and makes room', async () => {
  const { gallery, calls, steps } = setUp();
  gallery.add(['a', 'b', 'c'].map(file));
  gallery.remove(gallery.pictures[0]!);
  expect(calls[0]?.signal.aborted).toBe(true);
  calls[0]?.answer.reject(new ConnectError('gone', Code.Canceled));
  await Bun.sleep(0);
  expect(steps()).toEqual(['working', 'working']);
});

test('createGallery, a late answer to a cleared picture changes nothing', async () => {
  const { gallery, calls } = setUp();
  gallery.add(['a', 'b'].map(file));
  gallery.clear();
  expect(calls.every(({ signal }) => signal.aborted)).toBe(true);
  gallery.add([file('new')]);
  for (const { answer } of calls.slice(0, 2)) answer.resolve(embedding);
  await Bun.sleep(0);
  expect(gallery.pictures.map(({ id, name }) => [id, name])).toEqual([[1, 'new']]);
  expect(gallery.similarity.cosine(1, 2)).toBeUndefined();
  expect(finished(gallery)).toEqual([]);
});

test("failureOf, the operator's own code and sentence", () => {
  const error = new ConnectError('datas[0]: it is cut off', Code.InvalidArgument, undefined, [
    { desc: ErrorInfoSchema, value: { reason: 'IMAGE_TRUNCATED' } },
    {
      desc: BadRequestSchema,
      value: { fieldViolations: [{ field: 'datas[0]', description: 'it is cut off' }] },
    },
  ]);
  // Details that were sent come back encoded.
  expect(failureOf(error)).toEqual({
    title: 'Not accepted',
    message: 'It is cut off.',
    code: 'IMAGE_TRUNCATED',
    retry: false,
  });
});

test('failureOf, errors without details', () => {
  expect(failureOf(new ConnectError('later', Code.ResourceExhausted))).toEqual({
    title: 'Too much at once',
    message: 'Later.',
    code: 'resource_exhausted',
    retry: true,
  });
  expect(failureOf(ConnectError.from(new TypeError('Failed to fetch'))).code).toBe('network');
  expect(failureOf(new DOMException('gone', 'NotFoundError')).title).toBe('File not readable');
});
