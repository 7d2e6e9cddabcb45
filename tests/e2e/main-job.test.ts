/** The main job: the executable alone in an empty folder, real weights, real photos, a stock gRPC client in Python. */
import { expect } from 'bun:test';
import { copyFileSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import { cosine } from '../../src/inference/cosine.ts';
import { data, testWith } from '../support/data.ts';
import { testExecutable } from '../support/executable.ts';
import { readGolden } from '../support/golden.ts';
import { preparedTestModel, weightsOf } from '../support/models.ts';
import { startOperator } from '../support/operator.ts';
import { testFolder } from '../support/test-folder.ts';

const python = '/usr/bin/python3';
const folder = testFolder('main-job');

function generateStubs(): void {
  copyFileSync(
    join(import.meta.dir, '../../proto/omnisearch/operator.proto'),
    join(folder, 'operator.proto'),
  );
  const made = Bun.spawnSync(
    [
      python,
      '-m',
      'grpc_tools.protoc',
      '-I.',
      '--python_out=.',
      '--grpc_python_out=.',
      'operator.proto',
    ],
    { cwd: folder },
  );
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
}

interface Report {
  readonly identity: Record<string, string>;
  readonly healthy: string;
  readonly replies: { nums: number; metadata: number; vectors: number[][] }[];
}

testWith(
  weightsOf.keras,
  'main job, grpcio gets the Keras vectors of every photo from the executable, four at a time',
  async () => {
    generateStubs();
    const alone = testFolder('alone');
    const executable = join(alone, 'resnet50-encoder');
    linkSync(await testExecutable(await preparedTestModel('keras')), executable);
    const golden = readGolden(data.goldenKeras, data.goldenKerasVectors);
    const photos = golden.items.filter(({ file }) => file.startsWith('photos/'));
    await using operator = await startOperator({
      executable,
      args: ['--endpoint', '127.0.0.1:52001'],
      patienceMs: 30_000,
    });
    const script = join(import.meta.dir, 'tutorial_client.py');
    const paths = photos.map(({ file }) => join(data.root, file));
    const child = Bun.spawn([python, script, folder, `127.0.0.1:${operator.port}`, ...paths], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const report = (await new Response(child.stdout).json()) as Report;

    expect(report.healthy).toBe('healthy');
    expect(report.identity).toEqual({
      name: 'resnet50_encoder',
      endpoint: '127.0.0.1:52001',
      type: 'encoder',
      input: 'image',
      output: 'vector',
      dimension: '2048',
      metricType: 'L2',
    });
    expect(report.replies.length).toBe(photos.length);
    for (const [i, { nums, metadata, vectors }] of report.replies.entries()) {
      expect([nums, metadata, vectors.length]).toEqual([1, 0, 1]);
      const vector = Float32Array.from(vectors[0]!);
      expect(cosine(vector, golden.vector(photos[i]!.row!))).toBeGreaterThanOrEqual(0.99999);
    }
    expect(await operator.stop()).toBe(0);
  },
  180_000,
);
