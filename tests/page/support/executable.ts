/** The compiled executable with a small network in it. */
import { testExecutable } from '../../support/executable.ts';
import { smallTestModel } from '../../support/models.ts';
import { startOperator } from '../../support/operator.ts';
import type { PageOperator } from './operator.ts';

export async function startExecutable(args: readonly string[] = []): Promise<PageOperator> {
  const operator = await startOperator({
    executable: await testExecutable(),
    args: ['--model', smallTestModel(), ...args],
    patienceMs: 60_000,
  });
  return { url: operator.url, close: async () => void (await operator.stop()) };
}
