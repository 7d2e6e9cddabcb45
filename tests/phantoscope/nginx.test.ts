/** Three operators behind nginx with docs/nginx.conf: spread, a kill under load, a rolling restart. */
import { expect } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOut } from '../../model/resnet/layers.ts';
import { samplePicture } from '../../src/phantoscope/sample-picture.ts';
import { eventually } from '../support/eventually.ts';
import { testExecutable } from '../support/executable.ts';
import { freePorts } from '../support/free-address.ts';
import { smallSpec, smallTestModel } from '../support/models.ts';
import { type Operator, operatorKind, startOperator } from '../support/operator.ts';
import { testFolder } from '../support/test-folder.ts';
import { startPython, testWithStandin } from './standin.ts';

const config = join(import.meta.dir, '../../docs/nginx.conf');

interface Nginx extends AsyncDisposable {
  /** Has the operator at a port left alone (`down`), or called again, by a new configuration. */
  setDown(port: number, down: boolean): Promise<void>;
}

/** nginx with the documented configuration, its four ports put in place of the documented ones. */
async function startNginx(ports: readonly number[]): Promise<Nginx> {
  const folder = testFolder('nginx');
  let server = readFileSync(config, 'utf8').replace('listen 52000', `listen 127.0.0.1:${ports[0]}`);
  for (const index of [1, 2, 3]) {
    server = server.replace(`127.0.0.1:5200${index}`, `127.0.0.1:${ports[index]}`);
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join('\n');
  const write = (): void =>
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off;\nworker_processes 1;\npid ${folder}/pid;\nerror_log ${folder}/error.log notice;
events {}\nhttp {\naccess_log off;\n${temporary}\n${server}\n}\n`,
    );
  write();
  /** How many processes with an older configuration have ended: until then they go on with the connections that they have. */
  const left = (): number =>
    readFileSync(`${folder}/error.log`, 'utf8').split(/worker process \d+ exited/).length;
  const command = [
    'nginx',
    '-p',
    folder,
    '-e',
    `${folder}/error.log`,
    '-c',
    `${folder}/nginx.conf`,
  ];
  const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'ignore' });
  await listening(ports[0]!);
  return {
    async setDown(port, down) {
      const line = `127.0.0.1:${port}`;
      server = down
        ? server.replace(`${line} max`, `${line} down max`)
        : server.replace(`${line} down`, line);
      const before = left();
      write();
      child.kill('SIGHUP');
      await eventually(() => left() > before);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await child.exited;
    },
  };
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: { data: () => {} },
    }).catch(() => undefined);
    open?.end();
    if (open) return;
    await Bun.sleep(50);
  }
  throw new Error(`nothing listens on ${port}`);
}

/** The executable computes its vectors: the same number of calls takes it longer. */
const slowness = operatorKind === 'binary' ? 2 : 1;

interface Load {
  /** Calls that were answered with one vector of 2048, at the first or the second attempt. */
  done: number;
  retried: string[];
  failed: string[];
}

/** Callers on grpcio with one call at a time and one retry each, until `until` settles. */
async function load(port: number, callers: number, until: () => Promise<unknown>): Promise<Load> {
  const file = join(tmpdir(), `load-${process.pid}.png`);
  writeFileSync(file, samplePicture());
  const dimension = operatorKind === 'binary' ? layOut(smallSpec).dimension : 2048;
  const args = [`127.0.0.1:${port}`, `${callers}`, file, `${dimension}`];
  await using python = await startPython('load.py', args);
  await until();
  return JSON.parse(await python.finish()) as Load;
}

const executions = ({ logs }: Operator): number =>
  logs.filter((line) => line.msg === 'call' && line.method === 'Execute').length;

/** The executable with a small network: three of the full one would make two cores the measure of everything. */
const startAt = async (port: number): Promise<Operator> =>
  startOperator({
    ...(operatorKind === 'binary' && { executable: await testExecutable(smallTestModel()) }),
    args: ['--endpoint', `127.0.0.1:${port}`, '--listen', `127.0.0.1:${port}`],
    msPerImage: 5,
    // As long as it opens its model, an operator answers UNAVAILABLE.
    env: { FAKE_OPENING_MS: '300' },
  });

/** nginx before three operators; `body` gets its port, the operators and their ports. */
function scene(
  name: string,
  body: (nginx: Nginx, port: number, operators: Operator[], ports: number[]) => Promise<void>,
): void {
  testWithStandin(
    `three operators behind nginx, ${name}`,
    async () => {
      const ports = await freePorts(4);
      const operators = await Promise.all(ports.slice(1).map(startAt));
      try {
        await using nginx = await startNginx(ports);
        await body(nginx, ports[0]!, operators, ports.slice(1));
      } finally {
        await Promise.all(operators.map((operator) => operator[Symbol.asyncDispose]()));
      }
    },
    Bun.which('nginx') ? undefined : 'nginx is not installed',
    180_000,
  );
}

/** The figures of docs/scaling.md. */
function tell(what: string, { done, retried, failed }: Load, operators: readonly Operator[]): void {
  const shares = operators.map(executions).join(' + ');
  console.log(
    `${what}: ${done} calls (${shares}), ${retried.length} retried, ${failed.length} failed`,
  );
}

scene('calls are spread within 20 %', async (_, port, operators) => {
  const result = await load(port, 6, () => Bun.sleep(1500 * slowness));
  const { done, retried, failed } = result;
  expect({ retried, failed }).toEqual({ retried: [], failed: [] });
  expect(done).toBeGreaterThan(20);
  await eventually(() => operators.reduce((sum, one) => sum + executions(one), 0) >= done);
  tell('three operators', result, operators);
  for (const operator of operators) {
    expect(Math.abs(executions(operator) / (done / 3) - 1)).toBeLessThan(0.2);
  }
});

scene('one is killed under load: no call fails that is tried twice', async (_, port, operators) => {
  const result = await load(port, 6, async () => {
    await Bun.sleep(700);
    operators[1]!.kill('SIGKILL');
    await Bun.sleep(1500 * slowness);
  });
  tell('one killed', result, operators);
  const { done, failed } = result;
  expect(failed).toEqual([]);
  expect(done).toBeGreaterThan(20);
});

scene('each is restarted in turn: no call is lost', async (nginx, port, operators, ports) => {
  async function restartAll(): Promise<void> {
    for (const index of [0, 1, 2]) {
      await nginx.setDown(ports[index]!, true);
      expect(await operators[index]!.stop()).toBe(0);
      operators[index] = await startAt(ports[index]!);
      await nginx.setDown(ports[index]!, false);
    }
    await Bun.sleep(500 * slowness);
  }
  const result = await load(port, 6, restartAll);
  tell('each restarted in turn', result, operators);
  const { done, retried, failed } = result;
  expect({ retried, failed }).toEqual({ retried: [], failed: [] });
  expect(done).toBeGreaterThan(20);
  for (const operator of operators) await eventually(() => executions(operator) > 0);
});
