/** Flags before variables before defaults; everything that is wrong is said at once. */
import { parseArgs } from 'node:util';
import type { Environment } from '../environment.ts';
import { ConfigError } from '../errors.ts';
import { flagOf, type Option, variableOf } from './option.ts';
import { type Config, optionRows } from './options.ts';
import { suggest } from './suggest.ts';

export interface CommandLine {
  readonly command: string;
  /** Whether the command was named, or taken because none was. */
  readonly named: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly config: Config;
  /** Sentences about what was probably not meant that way. */
  readonly warnings: readonly string[];
}

/**
 * @param argv - what follows the program's name
 * @param commands - the first one is taken when none is named
 * @throws ConfigError with a line for each option that is wrong
 */
export function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  commands: readonly string[],
): CommandLine {
  const problems: string[] = [];
  const { flags, positionals, help, version } = withWords(readFlags(argv, commands, problems));
  const [command = commands[0] ?? '', ...extra] = positionals;
  const known = commands.includes(command);
  if (!known)
    problems.push(
      `"${command}" is not a command${meant(suggest(command, [...commands, 'help', 'version']))}; there are ${commands.join(', ')}`,
    );
  for (const argument of extra) problems.push(`"${argument}": ${command} takes no arguments`);

  const config: Record<string, unknown> = {};
  for (const [name, row] of optionRows) {
    config[name] = row.fallback;
    const given = flags.get(flagOf(name));
    // An unknown command is one problem; what was given besides is still looked at.
    if (known && !row.commands.includes(command)) {
      if (given)
        problems.push(
          `${flagOf(name)} is an option of ${row.commands.join(' and ')}, not of ${command}`,
        );
      continue;
    }
    const text = env[variableOf(name)];
    if (given) read(row, flagOf(name), given);
    else if (text !== undefined && (text !== '' || row.emptyIsWrong))
      read(row, variableOf(name), [text]);

    function read(of: Option<unknown>, source: string, texts: readonly string[]): void {
      const joined = of.type.list ? texts.join(',') : (texts.at(-1) ?? '');
      const parsed = of.type.parse(joined);
      if ('value' in parsed) config[name] = parsed.value;
      else
        problems.push(
          `${source}: read ${JSON.stringify(joined)}, which ${parsed.problem}; allowed: ${of.type.allowed}`,
        );
    }
  }
  // Whoever asks for help may have the rest wrong, but not what help is wanted of.
  if (problems.length > 0 && (!known || !(help || version)))
    throw new ConfigError(problems.join('\n'));
  const named = positionals.length > 0;
  return { command, named, help, version, config: config as Config, warnings: misspelt(env) };
}

/** `help`, `help COMMAND` and `version` are other words for `--help`, `COMMAND --help` and `--version`. */
function withWords(read: Flags): Flags {
  const [first, ...rest] = read.positionals;
  if (first === 'help') return { ...read, positionals: rest, help: true };
  return first === 'version' ? { ...read, positionals: rest, version: true } : read;
}

interface Flags {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
}

function readFlags(
  argv: readonly string[],
  commands: readonly string[],
  problems: string[],
): Flags {
  const rows = new Map(optionRows.map(([name, row]) => [flagOf(name), row]));
  const known = [...rows.keys()];
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      ...Object.fromEntries(
        [...rows].map(([flag, { type, short }]) => [
          flag.slice(2),
          {
            type: type.bare === undefined ? 'string' : 'boolean',
            ...(short && { short }),
          } as const,
        ]),
      ),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string[]>();
  const positionals: string[] = [];
  let help = false;
  let version = false;
  let afterUnknown = false;
  for (const token of tokens) {
    // What follows a misspelt flag was meant as its value.
    if (token.kind === 'positional' && (!afterUnknown || commands.includes(token.value)))
      positionals.push(token.value);
    afterUnknown = false;
    if (token.kind !== 'option') continue;
    const flag = `--${token.name}`;
    const value = token.value ?? rows.get(flag)?.type.bare;
    if (token.name === 'help') help = true;
    else if (token.name === 'version') version = true;
    else if (!known.includes(flag)) {
      const near = otherWords[token.rawName] ?? suggest(flag, [...known, '--help', '--version']);
      problems.push(`${token.rawName} is not an option${meant(near)}`);
      afterUnknown = !token.inlineValue;
    } else if (value === undefined || (!token.inlineValue && value.startsWith('--')))
      problems.push(`${flag} has no value`);
    else flags.set(flag, [...(flags.get(flag) ?? []), value]);
  }
  return { flags, positionals, help, version };
}

/** Variables that look like ours with a slip; other programs have variables that begin with OP_ as well. */
function misspelt(env: Environment): string[] {
  const known = optionRows.map(([name]) => variableOf(name));
  return Object.keys(env)
    .filter((name) => name.startsWith('OP_') && !known.includes(name))
    .flatMap((name) => {
      const near = suggest(name, known);
      return near ? [`the variable ${name} means nothing here${meant(near)}`] : [];
    });
}

/** What other servers call it. */
const otherWords: Readonly<Record<string, string>> = {
  ...{ '--port': '--listen :PORT', '-p': '--listen :PORT' },
  ...{ '--host': '--listen HOST:PORT', '--bind': '--listen HOST:PORT' },
};

const meant = (near: string | undefined): string => (near ? `, did you mean ${near}?` : '');
