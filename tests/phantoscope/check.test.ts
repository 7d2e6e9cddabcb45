import { afterEach, expect, test } from 'bun:test';
import { decode } from 'image-js';
import { checkOperator } from '../../src/phantoscope/check.ts';
import { samplePicture } from '../../src/phantoscope/sample-picture.ts';
import { type StubOperator, startStubOperator } from './stub-operator.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function operator(): Promise<StubOperator> {
  const stub = await startStubOperator();
  closers.push(() => stub.stop());
  return stub;
}

async function check(
  stub: { endpoint: string },
  picture: { bytes: Uint8Array } | { url: string } = { bytes: samplePicture() },
): Promise<{ lines: string[]; problems: string[] }> {
  const lines: string[] = [];
  const { endpoint } = stub;
  const print = (line: string): void => void lines.push(line);
  const problems = await checkOperator({
    endpoint,
    picture,
    print,
    timeoutMs: 700,
    executeTimeoutMs: 700,
  });
  return { lines, problems };
}

const vector = (length: number, value: number): { element: number[] } => ({
  element: new Array<number>(length).fill(value),
});

test('samplePicture, a decoder reads it as 256 × 256 pixels of several colours', () => {
  const image = decode(samplePicture());
  expect([image.width, image.height, image.channels]).toEqual([256, 256, 3]);
  expect([image.getPixel(176, 72), image.getPixel(0, 0), image.getPixel(0, 255)]).toEqual([
    [250, 210, 60],
    [40, 90, 220],
    [110, 80, 40],
  ]);
});

test("checkOperator, prints the tutorial's report", async () => {
  const stub = await operator();
  const { lines, problems } = await check(stub);
  expect(lines).toEqual([
    `Begin to test: endpoint-${stub.endpoint}`,
    `Endpoint information: {"name":"resnet50_encoder","endpoint":"${stub.endpoint}","type":"encoder","input":"image","output":"vector","dimension":"2048","metric_type":"L2"}`,
    'Endpoint model: resnet50_encoder-fp32-0123456789abcdef',
    'Endpoint health: healthy',
    'Result :\n  vector size: 1;  data size: 0',
    '  vector dim: 2048',
    'All tests over.',
  ]);
  expect(problems).toEqual([]);
  expect(stub.requests).toEqual([
    { urls: [], datas: [Buffer.from(samplePicture()).toString('base64')] },
  ]);
});

test('checkOperator, sends a URL as a URL', async () => {
  const stub = await operator();
  const { problems } = await check(stub, { url: 'http://10.0.0.1/a.jpg' });
  expect(problems).toEqual([]);
  expect(stub.requests).toEqual([{ urls: ['http://10.0.0.1/a.jpg'], datas: [] }]);
});

test('checkOperator, an operator without a model header, and one with untrained weights', async () => {
  const stub = await operator();
  stub.headers = {};
  expect((await check(stub)).lines.join('\n')).not.toContain('model');
  stub.headers = { 'x-model-id': 'abc', 'x-model-trained': 'false' };
  expect((await check(stub)).lines).toContain(
    'Endpoint model: abc (untrained weights: its vectors mean nothing)',
  );
});

test.each([
  ['no vector', { nums: 0 }, ['one image was sent, 0 vectors came back']],
  [
    'two vectors',
    { nums: 2, vectors: [vector(2048, 1), vector(2048, 1)] },
    ['one image was sent, 2 vectors came back'],
  ],
  ['a wrong nums', { nums: 7, vectors: [vector(2048, 1)] }, ['nums is 7, the number of vectors 1']],
  [
    'a short vector',
    { nums: 1, vectors: [vector(512, 1)] },
    ['vector 0 has 512 elements, Identity says 2048'],
  ],
  [
    'NaN',
    { nums: 1, vectors: [vector(2048, Number.NaN)] },
    ['vector 0 has 2048 elements that are not finite numbers'],
  ],
  [
    'infinity',
    {
      nums: 1,
      vectors: [{ element: [...vector(2047, 0).element, Number.POSITIVE_INFINITY] }],
    },
    ['vector 0 has 1 elements that are not finite numbers'],
  ],
  [
    'a vector of zeros',
    { nums: 1, vectors: [vector(2048, 0)] },
    ['vector 0 is all zeros: nothing can be found by it'],
  ],
  [
    'metadata from an encoder',
    { nums: 1, vectors: [vector(2048, 1)], metadata: [{ url: '', data: Buffer.from('eA==') }] },
    ['an encoder sends no metadata, 1 came back'],
  ],
])('checkOperator, %s fails', async (_, reply, expected) => {
  const stub = await operator();
  stub.execute = () => reply;
  const { lines, problems } = await check(stub);
  expect(problems).toEqual(expected);
  expect(lines.slice(-2)).toEqual([`FAILED: ${expected[0]}`, 'All tests over, not passed.']);
});

test('checkOperator, an operator that is not healthy, one that refuses, one that hangs', async () => {
  const stub = await operator();
  stub.healthy = { healthy: 'dying' };
  expect((await check(stub)).problems).toEqual(['Healthy answered "dying" instead of "healthy"']);
  stub.healthy = { healthy: 'healthy' };
  stub.execute = () => Object.assign(new Error('item 0 is no image'), { code: 3 });
  expect((await check(stub)).problems).toEqual([
    `Execute at ${stub.endpoint} failed: INVALID_ARGUMENT: item 0 is no image`,
  ]);
  stub.execute = () => 'hang';
  expect((await check(stub)).problems).toEqual([
    expect.stringContaining('no answer to Execute from'),
  ]);
});

test('checkOperator, nothing there', async () => {
  const { lines, problems } = await check({ endpoint: '127.0.0.1:1' });
  expect(problems).toEqual([expect.stringContaining('nothing listens at 127.0.0.1:1')]);
  expect(lines[0]).toBe('Begin to test: endpoint-127.0.0.1:1');
});

test('checkOperator, an Identity that is no encoder and no processor', async () => {
  const stub = await operator();
  stub.identity = { ...stub.identity, type: 'decoder\u001b[2J', dimension: 'many' };
  const { lines, problems } = await check(stub);
  expect(problems).toEqual([
    'Identity gives the dimension as "many", not as a number',
    'vector 0 has 2048 elements, Identity says many',
    'its type is "decoder [2J"; Phantoscope knows "encoder" and "processor"',
  ]);
  expect(lines.join('')).not.toContain('\u001b');
});

test.each([
  [{ dimension: '0x800' }, 'Identity gives the dimension as "0x800", not as a number'],
  [{ dimension: '2048.0' }, 'Identity gives the dimension as "2048.0", not as a number'],
  [{ dimension: '-1' }, 'Identity gives the dimension as "-1", not as a number'],
  [{ metricType: '' }, `an encoder's metric is L2 or IP, this one says ""`],
  [{ metricType: '-1' }, `an encoder's metric is L2 or IP, this one says "-1"`],
  [{ input: 'text' }, `an encoder's input is image, this one says "text"`],
  [{ output: 'images' }, `an encoder's output is vector, this one says "images"`],
  [{ name: '' }, 'Identity gives no name'],
])('checkOperator, an encoder that says %j fails', async (said, expected) => {
  const stub = await operator();
  stub.identity = { ...stub.identity, ...said };
  expect((await check(stub)).problems).toContain(expected);
});

test('checkOperator, an encoder that says -1 and answers nothing is no processor', async () => {
  const stub = await operator();
  stub.identity = { ...stub.identity, dimension: '-1' };
  stub.execute = () => ({ nums: 0 });
  expect((await check(stub)).problems).toEqual([
    'one image was sent, 0 vectors came back',
    'Identity gives the dimension as "-1", not as a number',
  ]);
});

test('checkOperator, the inner product is a metric, too', async () => {
  const stub = await operator();
  stub.identity = { ...stub.identity, metricType: 'IP' };
  expect((await check(stub)).problems).toEqual([]);
});

async function processor(): Promise<StubOperator> {
  const stub = await operator();
  stub.identity = {
    ...stub.identity,
    name: 'ssd',
    type: 'processor',
    output: 'images',
    dimension: '-1',
    metricType: '-1',
  };
  return stub;
}

const crop = (text: string): { url: string; data: Buffer } => ({
  url: '',
  data: Buffer.from(text),
});

test('checkOperator, a processor gives crops, or none', async () => {
  const stub = await processor();
  const text = Buffer.from(samplePicture()).toString('base64');
  const metadata = [crop(text), crop(`data:image/png;base64,${text}`)];
  stub.execute = () => ({ nums: 2, metadata });
  const two = await check(stub);
  expect(two.problems).toEqual([]);
  expect(two.lines).toContain('Result :\n  vector size: 0;  data size: 2');
  expect(two.lines).toContain(`  crop 1: ${samplePicture().length} bytes`);
  stub.execute = () => ({ nums: 0 });
  const none = await check(stub);
  expect(none.problems).toEqual([]);
  expect(none.lines.join('\n')).toContain('nothing found in the picture; --image');
});

test('checkOperator, a processor whose crops are not what the next operator needs', async () => {
  const stub = await processor();
  stub.execute = () => ({
    nums: 3,
    vectors: [vector(3, 1)],
    metadata: [crop('\x89PNG'), crop('')],
  });
  expect((await check(stub)).problems).toEqual([
    'a processor sends no vectors, 1 came back',
    'nums is 3, the number of crops 2',
    'crop 0 is not base64 text, which the next operator expects',
    'crop 1 is not base64 text, which the next operator expects',
  ]);
});

test('checkOperator, a processor that says of itself what an encoder does', async () => {
  const stub = await processor();
  stub.identity = { ...stub.identity, output: 'vector', dimension: '2048', metricType: 'L2' };
  stub.execute = () => ({ nums: 0 });
  expect((await check(stub)).problems).toEqual([
    `a processor's dimension is -1, this one says "2048"`,
    `a processor's output is images, this one says "vector"`,
    `a processor's metric is -1, this one says "L2"`,
  ]);
});
