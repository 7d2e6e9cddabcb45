/** Flags before variables before defaults; everything that is wrong is said at once. */
import { parseArgs } from 'node:util';
import type { Environment } from '../environment.ts';
import { ConfigError } from '../errors.ts';
import { type NameAsGiven, nameAsGiven, type SetByVariable } from './name-as-given.ts';
import { flagOf, type Option, variableOf } from './option.ts';
import { type Config, type OptionName, optionRows } from './options.ts';
import { suggest } from './suggest.ts';
import { unknownVariables } from './unknown-variables.ts';
import { idleOnCpu, withoutEffect } from './without-effect.ts';

export interface CommandLine {
  readonly command: string;
  /** Whether the command was named, or taken because none was. */
  readonly named: boolean;
  readonly help: boolean;
  readonly version: boolean;
  readonly config: Config;
  /** Sentences about what was probably not meant that way. */
  readonly warnings: readonly string[];
  /** Completed when the network turns out to run on the CPU: "--adapter has no effect". */
  readonly idleOnCpu: string | undefined;
  /** For what is said about options later: names the variable where that was what set one. */
  readonly nameAsGiven: NameAsGiven;
}

/**
 * @param argv - what follows the program's name
 * @param commands - the first one is taken when none is named
 * @param others - flags that the caller has taken out itself: one of them may have been meant
 * @throws ConfigError with a line for each option that is wrong
 */
export function parseCommandLine(
  argv: readonly string[],
  env: Environment,
  commands: readonly string[],
  others: readonly string[] = [],
): CommandLine {
  const problems: string[] = [];
  const read = readFlags(argv, commands, others, problems);
  const { flags, positionals, help, version } = withWords(read);
  const [command = commands[0] ?? '', ...extra] = positionals;
  const known = commands.includes(command);
  if (!known)
    problems.push(
      `"${command}" is not a command${meant(suggest(command, [...commands, 'help', 'version']))}; there are ${commands.join(', ')}`,
    );
  for (const argument of extra) problems.push(`"${argument}": ${command} takes no arguments`);

  const config: Record<string, unknown> = {};
  const given = new Set<OptionName>();
  const set: SetByVariable[] = [];
  for (const [name, row] of optionRows) {
    config[name] = row.fallback;
    const typed = flags.get(flagOf(name));
    // An unknown command is one problem; what was given besides is still looked at.
    if (known && !row.commands.includes(command)) {
      if (typed)
        problems.push(
          `${flagOf(name)} is an option of ${row.commands.join(' and ')}, not of ${command}`,
        );
      continue;
    }
    const variable = variableOf(name);
    const text = env[variable];
    if (typed) read(row, flagOf(name), typed);
    else if (text !== undefined && (text !== '' || row.emptyIsWrong)) {
      read(row, variable, [text]);
      set.push({ flag: flagOf(name), variable, text, choices: row.type.choices });
    } else continue;
    given.add(name);

    function read(of: Option<unknown>, source: string, texts: readonly string[]): void {
      const joined = of.type.list ? texts.join(',') : (texts.at(-1) ?? '');
      // An empty list is a list; nothing else is empty on purpose.
      const empty = joined === '' && !of.type.list;
      const parsed = empty ? { problem: 'is empty' } : of.type.parse(joined);
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
  const inTheirWords = nameAsGiven(set);
  const idle = withoutEffect(command, config as Config, given);
  const unknown = unknownVariables(
    env,
    optionRows.map(([name]) => variableOf(name)),
  );
  return {
    command,
    named: positionals.length > 0,
    help,
    version,
    config: config as Config,
    warnings: [...unknown, ...idle.map(inTheirWords)],
    idleOnCpu: idleOnCpu(config as Config, given),
    nameAsGiven: inTheirWords,
  };
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
  others: readonly string[],
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
      const near =
        otherWords[token.rawName] ?? suggest(flag, [...known, ...others, '--help', '--version']);
      problems.push(`${token.rawName} is not an option${meant(near)}`);
      afterUnknown = !token.inlineValue;
    } else if (value === undefined || (!token.inlineValue && value.startsWith('--')))
      problems.push(`${flag} has no value`);
    else flags.set(flag, [...(flags.get(flag) ?? []), value]);
  }
  return { flags, positionals, help, version };
}

/** What other servers call it. */
const otherWords: Readonly<Record<string, string>> = {
  ...{ '--port': '--listen :PORT', '-p': '--listen :PORT' },
  ...{ '--host': '--listen HOST:PORT', '--bind': '--listen HOST:PORT' },
};

const meant = (near: string | undefined): string => (near ? `, did you mean ${near}?` : '');
