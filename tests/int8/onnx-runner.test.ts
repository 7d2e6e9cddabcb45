import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { openRunner } from '../../model/quantize/onnx-runner.ts';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import { openModel } from '../../src/model/open-model.ts';
import { tinyTestModel } from '../support/models.ts';

test('openRunner, between images the loop turns: Ctrl-C is heard before the last one', async () => {
  const path = tinyTestModel();
  const { graph, dimension } = openModel(path, 'fp32').manifest;
  const { input, output, height, width } = graph;
  const model = fromBinary(ModelProtoSchema, readFileSync(path));
  const runner = await openRunner(model, { input, output, height, width, values: dimension });
  let turns = 0;
  let counter: ReturnType<typeof setImmediate>;
  const count = (): void => {
    turns++;
    counter = setImmediate(count);
  };
  counter = setImmediate(count);
  const image = new Float32Array(3 * height * width);
  for (let i = 0; i < 20; i++) await runner.run(image);
  clearImmediate(counter);
  expect(turns).toBeGreaterThanOrEqual(20);
  await runner.release();
});
