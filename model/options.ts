/** A command's options as one table that parses the arguments and prints the help. */
import { type Stats, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { entry, paragraph } from '../src/config/help-lines.ts';
import { suggest } from '../src/config/suggest.ts';
import { ConfigError } from '../src/errors.ts';
import { fileReason } from '../src/system-error.ts';

export interface Option<T> {
  /** Shown for the value in the help; a flag has none. */
  readonly placeholder?: string;
  readonly help: string;
  readonly required?: boolean;
  /** @throws Error whose message completes "--name: " */
  parse(text: string): T;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;
export type OptionValues<Table extends OptionTable> = {
  [Name in keyof Table]: Table[Name] extends Option<infer T> ? T | undefined : never;
};

export const flag = (help: string): Option<boolean> => ({ help, parse: () => true });

export const text = (placeholder: string, help: string): Option<string> => ({
  placeholder,
  help,
  parse: (value) => {
    if (value === '') throw new Error('is empty');
    return value;
  },
});

/** A file that has to be there. */
export const existingFile = (help: string): Option<string> => ({
  placeholder: 'FILE',
  help,
  parse: (value) => existing(value, 'file'),
});

/** A folder that has to be there. */
export const existingFolder = (help: string): Option<string> => ({
  placeholder: 'FOLDER',
  help,
  parse: (value) => existing(value, 'folder'),
});

function existing(path: string, what: 'file' | 'folder'): string {
  const found = statOf(path);
  if (!found) throw new Error(`there is no ${what} ${path}`);
  if (found.isDirectory() !== (what === 'folder')) throw new Error(`${path} is no ${what}`);
  return path;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new Error(`${path} cannot be read: ${fileReason(error)}`);
  }
}

export const sha256 = (help: string): Option<string> => ({
  placeholder: 'HEX',
  help,
  parse: (value) => {
    if (!/^[0-9a-f]{64}$/i.test(value)) throw new Error('needs 64 hexadecimal digits');
    return value.toLowerCase();
  },
});

/** A positive number of seconds; the value is in milliseconds. */
export const seconds = (help: string): Option<number> => ({
  placeholder: 'SECONDS',
  help,
  parse: (value) => {
    const number = Number(value);
    if (value.trim() === '' || !(number > 0 && number < 1e6))
      throw new Error(`needs a positive number of seconds, not ${JSON.stringify(value)}`);
    return number * 1000;
  },
});

export const integer = (help: string, least = 1): Option<number> => ({
  placeholder: 'N',
  help,
  parse: (value) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < least)
      throw new Error(`needs a whole number from ${least}, not ${JSON.stringify(value)}`);
    return Number(value);
  },
});

export const integers = (help: string): Option<readonly number[]> => ({
  placeholder: 'N[,N]',
  help,
  parse: (value) => value.split(',').map(integer(help).parse),
});

/** One of several words. */
export const oneOf = <const T extends string>(words: readonly T[], help: string): Option<T> => ({
  placeholder: words.join('|'),
  help,
  parse: (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined)
      throw new Error(`needs one of ${words.join(', ')}, not ${JSON.stringify(value)}`);
    return found;
  },
});

export const required = <T>(option: Option<T>): Option<T> => ({ ...option, required: true });

/**
 * @param args - what follows the command
 * @throws ConfigError that lists everything wrong at once
 */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
): OptionValues<Table> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  const meant = new Set<string>();
  let afterUnknown = false;
  for (const token of tokenise(table, args)) {
    // What follows a misspelt option was meant as its value.
    if (token.kind === 'positional' && !afterUnknown)
      problems.push(`${token.value}: unexpected argument`);
    afterUnknown = false;
    if (token.kind !== 'option') continue;
    const { name, rawName } = token;
    // The next option is no value; one that really begins so can be given as --name=--value.
    const swallowed = token.inlineValue === false && token.value.startsWith('--');
    const value = swallowed ? undefined : token.value;
    const option = Object.hasOwn(table, name) && rawName.startsWith('--') ? table[name] : undefined;
    if (!option) {
      const near = nearest(rawName, table);
      problems.push(
        `${rawName}: there is no such option${near ? `, did you mean --${near}?` : ''}`,
      );
      afterUnknown = !token.inlineValue;
      if (near) meant.add(near);
    } else if (given.has(name)) problems.push(`${rawName}: given twice`);
    else if (option.placeholder === undefined && value !== undefined)
      problems.push(`${rawName}: takes no value`);
    else if (option.placeholder !== undefined && value === undefined)
      problems.push(`${rawName}: needs a value, ${option.placeholder}`);
    else
      try {
        values[name] = option.parse(value ?? '');
      } catch (error) {
        problems.push(`${rawName}: ${error instanceof Error ? error.message : error}`);
      }
    given.add(name);
  }
  for (const [name, option] of Object.entries(table))
    if (option.required && !given.has(name) && !meant.has(name))
      problems.push(`--${name}: is missing (${option.help})`);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return values as OptionValues<Table>;
}

const nearest = (typed: string, table: OptionTable): string | undefined =>
  suggest(
    typed,
    [...Object.keys(table), 'help'].map((name) => `--${name}`),
  )?.slice(2);

function tokenise(table: OptionTable, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { placeholder }]) => {
      const type = placeholder === undefined ? ('boolean' as const) : ('string' as const);
      return [name, { type }];
    }),
  );
  return parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens;
}

export interface CommandHelp {
  /** What is typed before the options, with those that are needed. */
  readonly usage: string;
  /** What it does. */
  readonly about: string;
  readonly table: OptionTable;
}

/** The whole help, without a newline at its end. */
export function commandHelp({ usage, about, table }: CommandHelp): string {
  const left = (name: string, { placeholder }: Option<unknown>): string =>
    `--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`;
  return [
    `Usage: ${usage} [OPTIONS]`,
    '',
    ...paragraph(about, helpWidth),
    '',
    ...Object.entries(table).flatMap(([name, option]) =>
      entry(left(name, option), option.help, helpWidth),
    ),
  ].join('\n');
}

export const helpWidth = 100;
