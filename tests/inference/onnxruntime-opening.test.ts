import { expect, test } from 'bun:test';
import { createOnnxruntimeEngine } from '../../src/inference/onnxruntime/engine.ts';
import { openModel } from '../../src/model/open-model.ts';
import { tinyTestModel } from '../support/models.ts';

test('onnxruntime, is not given up for time in which the whole process stood still', async () => {
  const { slice, manifest } = openModel(tinyTestModel(), 'fp32');
  const { input, output, height, width } = manifest.graph;
  const openingMs = 5000;
  const opening = createOnnxruntimeEngine({
    ...{ slice, input, output, dimension: manifest.dimension, threads: 1, openingMs },
    shape: [3, height, width],
  });
  const end = performance.now() + openingMs + 100;
  while (performance.now() < end);
  const engine = await opening;
  await engine.close();
}, 60_000);

test('onnxruntime, is given up when it does not open', async () => {
  const { slice, manifest } = openModel(tinyTestModel(), 'fp32');
  const { input, output, height, width } = manifest.graph;
  const opening = createOnnxruntimeEngine({
    ...{ slice, input, output, dimension: manifest.dimension, threads: 1, openingMs: 20 },
    shape: [3, height, width],
  });
  await expect(opening).rejects.toThrow('onnxruntime is not ready: it hangs');
});
