/** Tests against an operator that is a process of its own: the fake one, or the compiled executable. */
import { afterAll, beforeAll } from 'bun:test';
import { testUnless } from '../support/data.ts';
import { type Operator, type OperatorOptions, startOperator } from '../support/operator.ts';

/** A test that needs an operator, and perhaps something else: `missing` says what is not there. */
export const contractTest = (
  name: string,
  body: () => Promise<unknown>,
  missing?: string | undefined,
): void => testUnless(missing, name, body, 180_000);

export const noProgram = (program: string): string | undefined =>
  Bun.which(program) ? undefined : `${program} is not installed`;

/** One operator for all tests of a file. */
export function sharedOperator(options: OperatorOptions = {}): () => Operator {
  let operator: Operator | undefined;
  beforeAll(async () => {
    operator = await startOperator({ patienceMs: 60_000, ...options });
  }, 120_000);
  afterAll(() => operator?.[Symbol.asyncDispose]());
  return () => {
    if (!operator) throw new Error('no operator was started');
    return operator;
  };
}
