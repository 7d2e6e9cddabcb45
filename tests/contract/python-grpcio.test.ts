/** Python's grpcio, as Phantoscope calls us, with stubs that its own tools make of our .proto files. */
import { beforeAll, expect } from 'bun:test';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOperator } from '../support/operator.ts';
import { testFolder } from '../support/test-folder.ts';
import { contractTest, sharedOperator } from './contract-test.ts';
import { largePicture, smallPicture } from './pictures.ts';

const root = join(import.meta.dir, '../..');
const operator = sharedOperator({ msPerImage: 30, args: ['--endpoint', '127.0.0.1:52001'] });

const python = [process.env.PYTHON, '/usr/bin/python3', 'python3']
  .filter((path): path is string => path !== undefined && Bun.which(path) !== null)
  .find((path) => Bun.spawnSync([path, '-c', 'import grpc, grpc_tools.protoc']).exitCode === 0);
const noPython = python
  ? undefined
  : 'no python3 with grpcio and its tools is installed (Debian: python3-grpc-tools)';

const folder = testFolder('operator-stubs');
const picture = join(folder, 'picture.txt');
beforeAll(() => {
  writeFileSync(picture, smallPicture(1));
  if (!python) return;
  // The reflection files have one name in two folders, which Python's flat modules cannot tell apart.
  for (const version of ['v1', 'v1alpha'])
    copyFileSync(
      join(root, `proto/grpc/reflection/${version}/reflection.proto`),
      join(folder, `${version}_reflection.proto`),
    );
  copyFileSync(join(root, 'proto/omnisearch/operator.proto'), join(folder, 'operator.proto'));
  copyFileSync(join(root, 'proto/grpc/health/v1/health.proto'), join(folder, 'health.proto'));
  const files = ['operator', 'health', 'v1_reflection', 'v1alpha_reflection'];
  const made = Bun.spawnSync([
    python,
    '-m',
    'grpc_tools.protoc',
    `-I${folder}`,
    `--python_out=${folder}`,
    `--grpc_python_out=${folder}`,
    ...files.map((file) => `${file}.proto`),
  ]);
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
});

interface Result {
  readonly code: string;
  readonly details: string;
  readonly healthy: string;
}

async function client<T = Record<string, unknown>>(
  scenario: string,
  args: string[] = [],
  port = operator().port,
): Promise<T> {
  const script = join(import.meta.dir, 'client.py');
  const command = [python ?? '', script, folder, `127.0.0.1:${port}`, scenario, ...args];
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' });
  const [text, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(complaints);
  return JSON.parse(text);
}

contractTest(
  'all three calls',
  async () => {
    expect(await client('calls', [picture])).toMatchObject({
      healthy: 'healthy',
      identity: {
        name: 'resnet50_encoder',
        endpoint: '127.0.0.1:52001',
        type: 'encoder',
        input: 'image',
        output: 'vector',
        dimension: '2048',
        metricType: 'L2',
      },
      execute: { nums: 1, lengths: [2048] },
      metadata: 0,
    });
  },
  noPython,
);

contractTest(
  'a request of 60 MB',
  async () => {
    const large = join(folder, 'large.txt');
    writeFileSync(large, largePicture());
    const result = await client('large', [large]);
    expect(result.bytes).toBeGreaterThan(60_000_000);
    expect(result).toMatchObject({ code: 'OK', reply: { nums: 1, lengths: [2048] } });
  },
  noPython,
);

contractTest(
  '500 channels one after another, a call each',
  async () => {
    expect(await client('channels', ['500'])).toEqual({ answers: ['healthy'] });
  },
  noPython,
);

contractTest(
  'what must be refused is, and the operator stays healthy',
  async () => {
    const results = await client<Record<string, Result>>('refusals', [picture]);
    const codes = Object.fromEntries(
      Object.entries(results).map(([name, result]) => [name, result.code]),
    );
    expect(codes).toMatchObject({
      malformed: 'INVALID_ARGUMENT',
      truncated: 'INVALID_ARGUMENT',
      'too large': 'RESOURCE_EXHAUSTED',
      thousand: 'INVALID_ARGUMENT',
      unknown: 'UNIMPLEMENTED',
    });
    for (const result of Object.values(results)) expect(result.healthy).toBe('healthy');
    expect(results.thousand?.details).toContain('--max-images');
    expect(results['too large']?.details).toContain('--max-message-bytes');
  },
  noPython,
);

contractTest(
  'an empty request, datas beside urls, thirty images',
  async () => {
    expect(await client('corners', [picture])).toEqual({
      empty: { nums: 0, lengths: [] },
      both: { nums: 2, lengths: [2048, 2048] },
      thirty: 30,
    });
  },
  noPython,
);

contractTest(
  'deadline and cancellation',
  async () => {
    const result = await client('patience', [picture]);
    expect(result).toMatchObject({
      late: 'DEADLINE_EXCEEDED',
      cancelled: true,
      healthy: 'healthy',
    });
    expect(result.seconds).toBeLessThan(1);
    const line = await operator().logged((l) => l.requestId === 'python-cancel');
    expect(line.code).toBe('canceled');
  },
  noPython,
);

contractTest(
  'gzip in the request, and none for nothing in the reply',
  async () => {
    expect(await client('gzip', [picture])).toEqual({ packed: 4, plain: 4 });
  },
  noPython,
);

contractTest(
  'keepalive pings during a long call',
  async () => {
    expect(await client('pings', [picture])).toMatchObject({ code: 'OK', reply: 20 });
  },
  noPython,
);

contractTest(
  'grpc.health.v1',
  async () => {
    expect(await client('health')).toEqual({
      server: 'SERVING',
      service: 'SERVING',
      other: 'NOT_FOUND',
      watch: 'SERVING',
    });
  },
  noPython,
);

for (const version of ['v1', 'v1alpha'])
  contractTest(
    `reflection ${version}, a client that knows nothing learns to call`,
    async () => {
      const result = await client('reflection', [version]);
      expect(result.services).toContain('omnisearch.Operator');
      expect(result.metricType).toBe('L2');
    },
    noPython,
  );

contractTest(
  'SIGTERM, the running call is answered, new ones are UNAVAILABLE, exit 0',
  async () => {
    await using own = await startOperator({ msPerImage: 50 });
    const result = await client('drain', [picture, String(own.pid)], own.port);
    expect(result).toEqual({ same: 'UNAVAILABLE', new: 'UNAVAILABLE', running: 30 });
    expect(await own.exited).toBe(0);
  },
  noPython,
);
