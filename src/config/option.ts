/** One row of the table of options. */
import type { OptionType } from './option-types.ts';

export const groups = {
  address: 'Address',
  model: 'Model',
  compute: 'Computing',
  memory: 'Memory',
  images: 'Images',
  urls: 'Images by URL',
  limits: 'Calls and connections',
  phantoscope: 'Phantoscope',
  check: 'What check sends',
  log: 'Log',
} as const;
export type Group = keyof typeof groups;

export interface Option<T> {
  readonly type: OptionType<NonNullable<T>>;
  /** Taken when neither flag nor variable is given. */
  readonly fallback: T;
  /** Says the default where it is not a fixed value. */
  readonly fallbackText?: string;
  readonly group: Group;
  /** The commands that take it. */
  readonly commands: readonly string[];
  /** One or two sentences; the default and the variable are added to them. */
  readonly description: string;
  /** One letter that stands for the flag. */
  readonly short?: string;
  /** An empty variable counts as not set, unless that is a known mistake that must not pass unnoticed. */
  readonly emptyIsWrong?: true;
}

type Row<T> = Omit<Option<T>, 'type' | 'fallback'> & { readonly type: OptionType<T> };

export const option = <T>(row: Row<T> & { readonly fallback: NoInfer<T> }): Option<T> =>
  row as Option<T>;

/** An option that is undefined when it is not given. */
export const optional = <T>(
  row: Row<T> & { readonly fallbackText: string },
): Option<T | undefined> => ({ ...row, fallback: undefined }) as Option<T | undefined>;

/** `maxImages` → `--max-images`. */
export const flagOf = (name: string): string => `--${kebab(name)}`;

/** `maxImages` → `OP_MAX_IMAGES`. */
export const variableOf = (name: string): string =>
  `OP_${kebab(name).replaceAll('-', '_').toUpperCase()}`;

const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
