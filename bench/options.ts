/** What a measurement can be told: its help, and a sentence for what is wrong. */
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
  try {
    return parseOptions(about.table, args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [name] = about.usage.split(' ');
    for (const problem of error.message.split('\n')) console.error(`bench ${name}: ${problem}`);
    process.exit(2);
  }
}
