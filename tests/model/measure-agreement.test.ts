import { expect, test } from 'bun:test';
import { ModelError } from '../../model/errors.ts';
import { measureAgreement } from '../../model/measure-agreement.ts';
import { changedSmallModel, manifestBeside, onlyZeros } from '../support/changed-model.ts';

test('measureAgreement, vectors that are zero or no numbers: a sentence', async () => {
  const zeros = changedSmallModel(onlyZeros);
  const endless = changedSmallModel((weights) => ({
    ...weights,
    beta: weights.beta.map(() => Number.POSITIVE_INFINITY),
  }));
  for (const [model, what] of [
    [zeros, 'a vector of zeros'],
    [endless, 'no finite vector'],
  ] as const) {
    const failure = measureAgreement(model, manifestBeside(model));
    await expect(failure).rejects.toThrow(`the network gives ${what} for a test picture`);
    await expect(failure).rejects.toBeInstanceOf(ModelError);
  }
});
