/** The two weight files of the shared data, converted; their vectors are checked in tests/golden. */
import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { createDecoders } from '../../src/image/decoders.ts';
import { prepareImage } from '../../src/image/prepare-image.ts';
import { type Manifest, parseManifest } from '../../src/model/manifest.ts';
import { data, testWith, unpacked } from '../support/data.ts';
import { readGolden } from '../support/golden.ts';
import { preparedTestModel, weightsOf } from '../support/models.ts';
import { runOnnx } from './support/run-onnx.ts';
import { readTorchvisionHead } from './support/torchvision-head.ts';

interface Prepared {
  readonly manifest: Manifest;
  readonly onnx: Uint8Array;
}

async function prepared(name: 'keras' | 'torchvision'): Promise<Prepared> {
  const path = await preparedTestModel(name);
  const manifestPath = join(dirname(path), 'resnet50.json');
  const manifest = parseManifest(JSON.parse(readFileSync(manifestPath, 'utf8')), manifestPath);
  return { manifest, onnx: readFileSync(path) };
}

function countOperators(onnx: Uint8Array): Record<string, number> {
  const operators: Record<string, number> = {};
  for (const { opType } of fromBinary(ModelProtoSchema, onnx).graph!.node)
    operators[opType] = (operators[opType] ?? 0) + 1;
  return operators;
}

const resnet50 = { Conv: 53, Relu: 49, MaxPool: 1, Add: 16, GlobalAveragePool: 1, Flatten: 1 };

testWith(
  weightsOf.keras,
  'prepareModel, the Keras file',
  async () => {
    const { manifest, onnx } = await prepared('keras');
    expect(manifest).toMatchObject({
      name: 'resnet50_encoder',
      architecture: 'resnet50-keras-v1',
      trained: true,
      dimension: 2048,
      preprocess: { channels: 'BGR', scale: 1, mean: [103.939, 116.779, 123.68] },
    });
    expect(countOperators(onnx)).toEqual(resnet50);
  },
  120_000,
);

testWith(
  weightsOf.torchvision,
  "prepareModel, the torchvision file; the head on its features gives the golden's classes",
  async () => {
    const { manifest, onnx } = await prepared('torchvision');
    expect(manifest).toMatchObject({
      name: 'resnet50_torchvision_encoder',
      architecture: 'resnet50-torchvision-v1.5',
      preprocess: { crop: { width: 224, height: 224 }, channels: 'RGB', scale: 1 / 255 },
    });
    expect(countOperators(onnx)).toEqual(resnet50);

    const head = readTorchvisionHead(unpacked(data.torchvisionWeightsGz))!;
    expect(head).toMatchObject({ classes: 1000, dimension: 2048 });
    const golden = readGolden(data.goldenTorchvision, data.goldenTorchvisionVectors);
    const items = golden.items.slice(0, 3);
    const rules = { rules: manifest.preprocess, layout: manifest.graph.layout };
    const limits = { maxImageBytes: 1e8, maxImagePixels: 1e8 };
    const decoders = await createDecoders();
    const inputs: Float32Array[] = [];
    for (const item of items) {
      const options = { ...rules, limits };
      const image = await prepareImage(golden.bytes(item), options, decoders, async () => {});
      inputs.push(image.tensor);
    }
    const rows = await runOnnx(onnx, inputs, 224, 224);
    const classes = rows.map((features) => {
      const logits = Array.from(head.bias, (bias, c) =>
        features.reduce((sum, value, i) => sum + value * head.weight[c * 2048 + i]!, bias),
      );
      return logits.indexOf(Math.max(...logits));
    });
    expect(classes).toEqual(items.map(({ top1 }) => top1!));
  },
  120_000,
);
