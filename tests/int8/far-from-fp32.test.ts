/** A network that int8 does not suit: it is said, and not only written into the manifest. */
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ModelError } from '../../model/errors.ts';
import { quantiseModel } from '../../model/quantize/quantise-model.ts';
import { changedSmallModel, manifestBeside, onlyZeros } from '../support/changed-model.ts';

async function quantise(model: string): Promise<string[]> {
  const lines: string[] = [];
  const { signal } = new AbortController();
  const tell = (line: string): void => void lines.push(line);
  const given = { images: undefined, methods: ['mse'], count: 5, seed: 1 } as const;
  await quantiseModel({ ...given, model, tell, signal });
  return lines.filter((line) => line.startsWith('warning'));
}

test('quantise, vectors far from those of fp32: a warning with what is aimed at', async () => {
  const near = changedSmallModel((weights) => weights);
  expect(await quantise(near)).toEqual([]);
  // One weight of a filter is so large that its scale leaves nothing of the others.
  const far = changedSmallModel((weights, { outChannels }) => {
    const kernel = weights.kernel.slice();
    const size = kernel.length / outChannels;
    for (let filter = 0; filter < outChannels; filter++) kernel[filter * size]! *= 400;
    return { ...weights, kernel };
  });
  const warnings = await quantise(far);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^warning: these int8 vectors are far from those of fp32: cosine to fp32 0\.\d+ on average, 0\.\d+ at least, where 0\.996 and 0\.985 are aimed at/,
    ),
  ]);
  expect(manifestBeside(far).variants.int8?.notes?.meanCosineToFp32).toBeLessThan(0.996);
});

test('quantise, vectors that are zero: a sentence, and nothing is changed', async () => {
  const model = changedSmallModel(onlyZeros);
  const failure = quantise(model);
  await expect(failure).rejects.toThrow(
    'the vector of the fp32 model for picture 1 is zero throughout: it cannot be compared',
  );
  await expect(failure).rejects.toBeInstanceOf(ModelError);
  expect(readdirSync(dirname(model)).sort()).toEqual(['resnet50.json', 'resnet50.onnx']);
});
