/** The way of a picture through Phantoscope: pipeline, application, upload, search, with and without a processor. */
import { expect } from 'bun:test';
import { join } from 'node:path';
import { register } from '../../src/phantoscope/register.ts';
import { samplePicture } from '../../src/phantoscope/sample-picture.ts';
import { type Standin, startStandin, testWithStandin } from './standin.ts';
import { type StubOperator, startStubOperator } from './stub-operator.ts';

const signal = new AbortController().signal;
const picture = Buffer.from(samplePicture()).toString('base64');
const noVector = {
  status: 400,
  json: { message: expect.any(String), error: 'NoneVectorError' },
};

/** A processor that finds as many crops as `crops` holds when it is asked. */
async function startProcessor(crops: string[]): Promise<StubOperator> {
  const stub = await startStubOperator();
  stub.identity = {
    ...stub.identity,
    name: 'detector',
    type: 'processor',
    output: 'images',
    dimension: '-1',
    metricType: '-1',
  };
  stub.headers = {};
  stub.execute = () => ({
    nums: crops.length,
    metadata: crops.map((text) => ({ url: '', data: Buffer.from(text) })),
  });
  return stub;
}

const registered = (standin: Standin, stub: StubOperator): Promise<unknown> =>
  register(
    {
      apiUrl: standin.url,
      api: 'auto',
      endpoint: { host: '127.0.0.1', port: stub.port, text: stub.endpoint },
      replace: false,
      allowUntrained: false,
    },
    { signal },
  );

testWithStandin('a registered encoder, v0.1, one picture goes in and is found', async () => {
  await using standin = await startStandin('v01');
  const encoder = await startStubOperator();
  await registered(standin, encoder);
  const pipeline = await standin.post('/v1/pipeline/plain', {
    input: 'image',
    description: 'pictures as vectors',
    processors: '',
    encoder: 'resnet50_encoder',
    indexFileSize: 1024,
  });
  expect(pipeline).toMatchObject({ status: 200, json: { _dimension: 2048, _metric_type: 'L2' } });
  const application = await standin.post('/v1/application/pictures', {
    fields: { picture: { type: 'object', pipeline: 'plain' } },
    s3Buckets: 'pictures',
  });
  expect(application.status).toBe(200);
  const fields = { picture: { data: picture } };
  const upload = await standin.post('/v1/application/pictures/upload', { fields });
  expect(upload).toMatchObject({ status: 200, json: [{ _app_name: 'pictures' }] });
  const found = await standin.post('/v1/application/pictures/search', { fields, topk: 3 });
  expect(found).toEqual(upload);
  expect(encoder.requests).toEqual([
    { urls: [], datas: [picture] },
    { urls: [], datas: [picture] },
  ]);
  await encoder.stop();
});

testWithStandin(
  'a registered encoder, v0.1, after a processor: many crops, then none',
  async () => {
    await using standin = await startStandin('v01');
    const crops = [picture, picture, picture];
    const [encoder, processor] = [await startStubOperator(), await startProcessor(crops)];
    await registered(standin, encoder);
    await standin.post('/v1/operator/regist', { endpoint: processor.endpoint, name: 'detector' });
    await standin.post('/v1/pipeline/objects', {
      input: 'image',
      description: 'objects as vectors',
      processors: 'detector',
      encoder: 'resnet50_encoder',
      indexFileSize: 1024,
    });
    await standin.post('/v1/application/objects', {
      fields: { picture: { type: 'object', pipeline: 'objects' } },
      s3Buckets: 'objects',
    });
    const fields = { picture: { data: picture } };
    const upload = await standin.post('/v1/application/objects/upload', { fields });
    expect(upload.json).toHaveLength(3);
    expect(encoder.requests).toEqual([{ urls: ['', '', ''], datas: crops }]);
    crops.length = 0;
    const none = await standin.post('/v1/application/objects/upload', { fields });
    expect(none).toEqual(noVector);
    expect(encoder.requests[1]).toEqual({ urls: [], datas: [] });
    await Promise.all([encoder.stop(), processor.stop()]);
  },
);

testWithStandin('a registered image, v0.2, one picture goes in and is found', async () => {
  const command = `${process.execPath} ${join(import.meta.dir, 'stub-operator.ts')} {host}:{port}`;
  await using standin = await startStandin('v02', [`--image=psoperator/resnet50:1=${command}`]);
  const outcome = await register(
    {
      apiUrl: standin.url,
      api: 'auto',
      name: 'resnet50',
      endpoint: { host: '127.0.0.1', port: 52001, text: '127.0.0.1:52001' },
      replace: false,
      allowUntrained: false,
      image: {
        image: 'psoperator/resnet50:1',
        author: 'me',
        description: 'vectors of pictures',
        version: '0.1.0',
        type: 'encoder',
        instance: 'one',
      },
    },
    { signal },
  );
  const pipeline = await standin.post('/v1/pipeline/plain', {
    description: 'pictures as vectors',
    processors: [],
    encoder: { name: 'resnet50', instance: 'one' },
  });
  expect(pipeline).toMatchObject({
    status: 200,
    json: { encoder: { instance: { endpoint: outcome.endpoint } } },
  });
  await standin.post('/v1/application/pictures', {
    fields: { picture: { type: 'pipeline', value: 'plain' } },
    s3Buckets: 'pictures',
  });
  const fields = { picture: { data: picture } };
  const upload = await standin.post('/v1/application/pictures/upload', { fields });
  const found = await standin.post('/v1/application/pictures/search', {
    fields,
    topk: 3,
    nprobe: 16,
  });
  expect(found).toEqual(upload);
  // Last: in Bun 1.4.5 toMatchObject puts the matcher in the place of the number, and anything would be equal to it.
  expect(upload).toMatchObject({
    status: 200,
    json: [{ _docs: { picture: { ids: [expect.any(Number)] } } }],
  });
});
