/** The table of options, from which come the parser, the help and the README's tables. */
import type { Option } from './option.ts';
import { limitOptions } from './options/limits.ts';
import { phantoscopeOptions } from './options/phantoscope.ts';
import { servingOptions } from './options/serving.ts';

export const options = { ...servingOptions, ...limitOptions, ...phantoscopeOptions };

export type OptionName = keyof typeof options;

type ValueOf<O> = O extends Option<infer T> ? T : never;

/** Every option's value: sizes in bytes, times in milliseconds. */
export type Config = { readonly [K in OptionName]: ValueOf<(typeof options)[K]> };

/** The rows with their types forgotten, in the order of the table. */
export const optionRows = Object.entries(options) as unknown as readonly (readonly [
  OptionName,
  Option<unknown>,
])[];
