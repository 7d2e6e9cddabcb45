/** The fp16 variant: what is in the file, what it computes elsewhere, what the command and the executable do with it. */
import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import * as native from 'onnxruntime-node';
import { convertModel } from '../../model/convert/convert-model.ts';
import {
  TensorProto_DataType as DataType,
  type ModelProto,
  ModelProtoSchema,
} from '../../src/gen/onnx/onnx_pb.ts';
import { cosine } from '../../src/inference/cosine.ts';
import { sampleInput } from '../../src/inference/sample-input.ts';
import { modelId, parseManifest } from '../../src/model/manifest.ts';
import { data, testWith } from '../support/data.ts';
import { preparedTestModel, smallTestModel, weightsOf } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';

const repository = join(import.meta.dir, '../..');

/** A copy of the prepared model, so that its folder can be added to. */
function copied(onnx: string): string {
  const folder = testFolder('fp16');
  for (const file of ['resnet50.onnx', 'resnet50.json'])
    cpSync(join(dirname(onnx), file), join(folder, file));
  return join(folder, 'resnet50.onnx');
}

const half = (onnx: string): string => onnx.replace(/onnx$/, 'fp16.onnx');
const manifestOf = (onnx: string) =>
  parseManifest(JSON.parse(readFileSync(onnx.replace(/onnx$/, 'json'), 'utf8')), onnx);
const convert = (model: string, images?: string, count = 2) =>
  convertModel({ model, images, count, tell: () => {}, signal: new AbortController().signal });

function edit(onnx: string, change: (model: ModelProto) => void): void {
  const model = fromBinary(ModelProtoSchema, readFileSync(onnx));
  change(model);
  const bytes = toBinary(ModelProtoSchema, model);
  writeFileSync(onnx, bytes);
  const manifestPath = onnx.replace(/onnx$/, 'json');
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  manifest.variants.fp32.bytes = bytes.length;
  manifest.variants.fp32.sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(manifestPath, JSON.stringify(manifest));
}

async function runNatively(onnx: string, image: Float32Array): Promise<Float32Array> {
  const { graph } = manifestOf(onnx.replace('.fp16', ''));
  const session = await native.InferenceSession.create(onnx);
  const tensor = new native.Tensor('float32', image, [1, 3, graph.height, graph.width]);
  const results = await session.run({ [graph.input]: tensor });
  return results[graph.output]?.data as Float32Array;
}

describe('convertModel', () => {
  test('writes weights and activations in half precision, and the end in float32', async () => {
    const onnx = copied(smallTestModel());
    await convert(onnx);
    const { graph } = fromBinary(ModelProtoSchema, readFileSync(half(onnx)));
    const types = new Set(graph?.initializer.map(({ dataType }) => dataType));
    expect([...types]).toEqual([DataType.FLOAT16]);
    const operators = graph?.node.map(({ opType }) => opType) ?? [];
    expect(operators[0]).toBe('Cast');
    expect(operators.slice(-3)).toEqual(['Cast', 'GlobalAveragePool', 'Flatten']);
    expect(operators.filter((operator) => operator === 'Cast').length).toBe(2);
    for (const value of [...(graph?.input ?? []), ...(graph?.output ?? [])])
      expect(value.type?.value.value).toMatchObject({ elemType: DataType.FLOAT });
  });

  test('gives a file that native onnxruntime runs, with the vectors of fp32', async () => {
    const onnx = copied(smallTestModel());
    await convert(onnx);
    const { height, width } = manifestOf(onnx).graph;
    for (const seed of [1, 2, 3]) {
      const image = sampleInput(3 * height * width, seed, 127);
      const reference = await runNatively(onnx, image);
      const vector = await runNatively(half(onnx), image);
      expect(cosine(vector, reference)).toBeGreaterThanOrEqual(0.99999);
      expect(vector).not.toEqual(reference);
    }
  });

  test('lists the variant with its drift, and keeps the others', async () => {
    const onnx = copied(smallTestModel());
    const before = manifestOf(onnx);
    const drift = await convert(onnx);
    const after = manifestOf(onnx);
    expect(after.variants.fp32).toEqual(before.variants.fp32!);
    expect(after.variants.fp16?.notes?.minCosineToFp32).toBe(drift.minCosine);
    expect(drift.minCosine).toBeGreaterThanOrEqual(0.9999);
    expect(drift.meanCosine).toBeLessThan(1);
    expect(modelId(after, 'fp16')).not.toBe(modelId(after, 'fp32'));
  });

  test('refuses operators it does not know, and changes nothing', async () => {
    const onnx = copied(smallTestModel());
    edit(onnx, ({ graph }) => {
      for (const node of graph?.node ?? []) if (node.opType === 'Relu') node.opType = 'Sigmoid';
    });
    const manifest = manifestOf(onnx);
    await expect(convert(onnx)).rejects.toThrow(/not converted to half precision: Sigmoid/);
    expect(manifestOf(onnx)).toEqual(manifest);
  });

  testWith(
    weightsOf.keras,
    'keeps the vectors of photographs on real weights',
    async () => {
      const onnx = copied(await preparedTestModel('keras'));
      const { minCosine } = await convert(onnx, data.photos, 3);
      expect(minCosine).toBeGreaterThanOrEqual(0.9999);
    },
    180_000,
  );
});

describe('npm run model -- convert', () => {
  const command = async (...args: string[]) => {
    const child = Bun.spawn([process.execPath, 'model/main.ts', 'convert', ...args], {
      cwd: repository,
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const stderr = await new Response(child.stderr).text();
    return { code: await child.exited, stderr };
  };

  test('prints the drift', async () => {
    const onnx = copied(smallTestModel());
    const { code, stderr } = await command('--model', onnx, '--count', '1');
    expect(code).toBe(0);
    expect(stderr).toMatch(/fp16 to fp32 on 1 pictures made by code: cosine 0\.99/);
  });

  test('says what is wrong with its options, exit code 2', async () => {
    expect((await command()).code).toBe(2);
    const { code, stderr } = await command('--model', '/nowhere/resnet50.onnx');
    expect(code).toBe(2);
    expect(stderr).toMatch(/nowhere/);
  });
});
