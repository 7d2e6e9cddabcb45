/** What a measurement can be told: its help, and a sentence for what is wrong. */

import { ModelError } from '../model/errors.ts';
import { removeTemporary } from '../model/files/abandoned.ts';
import { endOnSignal } from '../model/files/end-on-signal.ts';
import {
  type CommandHelp,
  commandHelp,
  type OptionTable,
  type OptionValues,
  parseOptions,
} from '../model/options.ts';
import { ConfigError } from '../src/errors.ts';

/** @param about - `usage` is what follows `npm run bench -- `. Ends the program where it is only asked for its help. */
export function benchOptions<Table extends OptionTable>(
  about: CommandHelp & { readonly table: Table },
): OptionValues<Table> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(commandHelp({ ...about, usage: `npm run bench -- ${about.usage}` }));
    process.exit(0);
  }
  const [name = ''] = about.usage.split(' ');
  endOnSignal((line) => console.error(`bench ${name}: ${line}`));
  process.on('uncaughtException', (error) => giveUp(name, error));
  try {
    return parseOptions(about.table, args);
  } catch (error) {
    giveUp(name, error);
  }
}

/** What was given wrong, or is missing on this machine, is a sentence; anything else keeps its stack. */
function giveUp(name: string, error: unknown): never {
  const { message, syscall } = error as NodeJS.ErrnoException;
  const plain =
    error instanceof ConfigError || error instanceof ModelError || syscall !== undefined;
  if (plain) for (const problem of message.split('\n')) console.error(`bench ${name}: ${problem}`);
  else console.error(error);
  removeTemporary();
  process.exit(error instanceof ConfigError ? 2 : 1);
}
