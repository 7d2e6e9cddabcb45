/** Computing threads that fail while the executable serves; it has tests/support/faulty-threads.ts in it. */
import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultyExecutable } from '../support/executable.ts';
import { tinyTestModel } from '../support/models.ts';
import { type Operator, startOperator } from '../support/operator.ts';
import { texturePng } from '../support/pictures.ts';
import { testFolder } from '../support/test-folder.ts';

const image = Buffer.from(texturePng({ width: 80, height: 60, seed: 1 })).toString('base64');

async function start() {
  const folder = testFolder('cpu-faults');
  const operator = await startOperator({
    executable: await faultyExecutable(),
    args: ['--model', tinyTestModel(), '--device', 'wasm', '--threads', '1'],
    env: { TEST_CPU_FAULTS: folder },
  });
  const fault = (name: 'die' | 'hang') => writeFileSync(join(folder, name), '');
  return { operator, fault };
}

const execute = ({ url }: Operator): Promise<Response> =>
  fetch(`${url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ datas: [image] }),
  });

test('a computing thread that dies, is followed by another engine; after the next one the operator ends with exit 1', async () => {
  const { operator, fault } = await start();
  await using _ = operator;
  const before = await (await execute(operator)).text();
  fault('die');
  expect(await (await execute(operator)).text()).toBe(before);
  await operator.logged(({ msg }) => msg === 'going on with simd on wasm');

  fault('die');
  const refused = await execute(operator);
  expect(refused.status).toBe(503);
  expect(await operator.exited).toBe(1);
  const { err } = await operator.logged(({ level }) => level === 'fatal');
  expect(err).toMatchObject({ message: 'a fault of the test' });
}, 60_000);

test('a computing thread that hangs, is given up and its call answered by another engine', async () => {
  const { operator, fault } = await start();
  await using _ = operator;
  const before = await (await execute(operator)).text();
  fault('hang');
  expect(await (await execute(operator)).text()).toBe(before);
  await operator.logged(({ msg }) => msg === 'going on with simd on wasm');
  expect(operator.logs.map(({ msg }) => msg).join('\n')).toContain(
    'simd on wasm is lost: it hangs: nothing has come back for',
  );
  expect(await operator.stop()).toBe(0);
}, 60_000);
