/** Where the operators of a network run: all of them on the GPU that was asked for, or the network is refused. */
import { describe, expect } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { testUnless } from '../support/data.ts';
import { testExecutable } from '../support/executable.ts';
import { smallTestModel, tinyTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';
import { type Driver, llvmpipe, swiftshader } from './support/drivers.ts';
import { withHalf } from './support/half-model.ts';

interface Placement {
  readonly operator: string;
  readonly provider: string;
}

/** The operators of a run, in order, by onnxruntime's profile, and the adapter. */
async function profile(
  model: string,
  precision: 'fp32' | 'fp16',
  { env }: Driver,
): Promise<{ adapter: string; placements: Placement[] }> {
  const script = join(import.meta.dir, 'support/print-profile.ts');
  const child = Bun.spawn([process.execPath, script, model, precision], {
    env: { ...process.env, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(stderr);
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line.replace(/,$/, '')));
  return {
    adapter: events.find(({ adapter }) => adapter)?.adapter,
    placements: events
      .filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
      .map(({ args }) => ({ operator: args.op_name, provider: args.provider })),
  };
}

/** The tiny model with an operator that onnxruntime has for the CPU only. */
function modelWithForeignOperator(): string {
  const original = tinyTestModel();
  const graph = fromBinary(ModelProtoSchema, readFileSync(original));
  for (const node of graph.graph?.node ?? [])
    if (node.opType === 'GlobalAveragePool') node.opType = 'GlobalLpPool';
  const bytes = toBinary(ModelProtoSchema, graph);
  const manifest = JSON.parse(readFileSync(original.replace(/onnx$/, 'json'), 'utf8'));
  manifest.variants.fp32.bytes = bytes.length;
  manifest.variants.fp32.sha256 = createHash('sha256').update(bytes).digest('hex');
  const folder = testFolder('model');
  writeFileSync(join(folder, 'resnet50.onnx'), bytes);
  writeFileSync(join(folder, 'resnet50.json'), JSON.stringify(manifest));
  return join(folder, 'resnet50.onnx');
}

describe('placement', () => {
  for (const [name, driver, precision] of [
    ['SwiftShader', swiftshader, 'fp32'],
    ['llvmpipe', llvmpipe, 'fp16'],
  ] as const)
    testUnless(
      driver.missing,
      `every convolution, and everything else, runs on ${name} in ${precision}`,
      async () => {
        const model = precision === 'fp32' ? smallTestModel() : await withHalf(smallTestModel());
        const { adapter, placements } = await profile(model, precision, driver);
        expect(adapter).toContain(name);
        const { graph } = fromBinary(ModelProtoSchema, readFileSync(model));
        const convolutions = graph?.node.filter(({ opType }) => opType === 'Conv').length;
        expect(placements.filter(({ operator }) => /Conv/.test(operator)).length).toBe(
          convolutions ?? Number.NaN,
        );
        expect(placements.filter(({ provider }) => provider !== 'WebGpuExecutionProvider')).toEqual(
          [],
        );
        // The image comes in float32 and is converted there as well.
        expect(placements.some(({ operator }) => operator === 'Cast')).toBe(precision === 'fp16');
      },
      120_000,
    );

  testUnless(
    swiftshader.missing,
    'a network with an operator that would run on the CPU, is refused by the executable',
    async () => {
      const args = ['--model', modelWithForeignOperator(), '--device', 'webgpu'];
      const child = Bun.spawn([await testExecutable(), 'info', ...args, '--allow-software-gpu'], {
        env: swiftshader.env,
        stdout: 'pipe',
        stderr: 'pipe',
      });
      const stderr = await new Response(child.stderr).text();
      expect(await child.exited).toBe(2);
      expect(stderr).toMatch(/cannot run every operator of this model on WebGPU/);
    },
    180_000,
  );
});
