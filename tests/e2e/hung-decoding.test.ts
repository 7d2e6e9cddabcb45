/** Decoding threads that hang while the executable serves; it has tests/support/faulty-preparing.ts in it. */
import { expect, test } from 'bun:test';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { faultyExecutable } from '../support/executable.ts';
import { tinyTestModel } from '../support/models.ts';
import { startOperator } from '../support/operator.ts';
import { texturePng } from '../support/pictures.ts';
import { testFolder } from '../support/test-folder.ts';

const image = Buffer.from(texturePng({ width: 80, height: 60, seed: 1 })).toString('base64');

test('decoding threads that hang, all of them: their calls get an error, and the next ones their vectors', async () => {
  const folder = testFolder('decoding-faults');
  await using operator = await startOperator({
    executable: await faultyExecutable(),
    args: ['--model', tinyTestModel(), '--device', 'wasm', '--threads', '2'],
    env: { TEST_DECODING_FAULTS: folder },
  });
  const call = (method: string, request: object): Promise<Response> =>
    fetch(`${operator.url}/omnisearch.Operator/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
  const execute = (): Promise<Response> => call('Execute', { datas: [image] });
  const before = await (await execute()).text();

  for (const name of ['one', 'two']) writeFileSync(join(folder, name), '');
  const hung = [execute(), execute()];
  await eventually(() => readdirSync(folder).length === 0);
  const waiting = execute();
  expect((await call('Healthy', {})).status).toBe(200);
  for (const response of await Promise.all(hung)) {
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('datas[0]: the image was not decoded within 2 s');
  }
  expect(await (await waiting).text()).toBe(before);
  const { level } = await operator.logged(({ msg }) =>
    /^a decoding thread was given up/.test(msg ?? ''),
  );
  expect(level).toBe('warn');
  expect(await operator.stop()).toBe(0);
}, 60_000);
