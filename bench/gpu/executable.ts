/** Where the operator's executable comes from. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compiled } from '../../src/threads.ts';

/**
 * The one that is named; else the one beside this program, or, from the sources, one that is built without a model.
 * @throws Error with a sentence when there is none
 */
export async function operatorExecutable(
  named: string | undefined,
  folder: string,
  tell: (line: string) => void,
): Promise<string> {
  const beside = join(dirname(process.execPath), 'resnet50-encoder');
  const given = named ?? (compiled ? beside : undefined);
  if (given !== undefined) {
    if (existsSync(given)) return given;
    throw new Error(`${given} is not there: --executable names the operator's executable`);
  }
  tell('building the executable without a model');
  const { compile } = await import('../../build/compile.ts');
  const outfile = join(folder, 'resnet50-encoder');
  await compile({ outfile });
  return outfile;
}
