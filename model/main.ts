/** `npm run model -- COMMAND …`. Exit codes: 0 well, 1 failed, 2 bad options, 130 interrupted. */
import { suggest } from '../src/config/suggest.ts';
import { ConfigError } from '../src/errors.ts';
import { enterCallersFolder } from './callers-folder.ts';
import type { Command } from './command.ts';
import { convertCommand } from './convert/convert-command.ts';
import { prepareCommand } from './prepare-command.ts';
import { quantizeCommand } from './quantize/quantize-command.ts';

const commands: Readonly<Record<string, Command>> = {
  prepare: prepareCommand,
  quantize: quantizeCommand,
  convert: convertCommand,
};

function help(): string {
  const list = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(10)}${summary}`,
  );
  return `Usage: npm run model -- COMMAND [OPTIONS]\n\nCommands (COMMAND --help lists the options):\n${list.join('\n')}`;
}

async function main(args: readonly string[]): Promise<number> {
  const asked = args[0] === 'help';
  const [name = '--help', ...rest] = asked ? args.slice(1) : args;
  if (name === '--help' || name === '-h') {
    console.log(help());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const near = suggest(name, Object.keys(commands));
    const meant = near ? `, did you mean ${near}?` : '';
    console.error(`${name}: there is no such command${meant}\n\n${help()}`);
    return 2;
  }
  if (asked || rest.includes('--help') || rest.includes('-h')) {
    console.log(command.help());
    return 0;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupt.abort(new Error('interrupted')));
  try {
    await command.run(rest, interrupt.signal);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const memory = /out of memory|allocation failed/i.test(message);
    // Seen for `prepare`; the other commands take more.
    console.error(memory ? `out of memory: this takes 0.8 GB or more (${message})` : message);
    if (error instanceof ConfigError) return 2;
    return interrupt.signal.aborted ? 130 : 1;
  }
}

enterCallersFolder('model');
process.exitCode = await main(process.argv.slice(2));
