/** How the text of a flag or a variable becomes a value, and how a value is written in the help. */
import { type Endpoint, type Parsed, parseEndpoint, parseListen } from '../endpoint.ts';

export interface OptionType<T> {
  /** Stands for the value in `--flag PLACEHOLDER`. */
  readonly placeholder: string;
  /** What is allowed, after "allowed:". */
  readonly allowed: string;
  readonly parse: (text: string) => Parsed<T>;
  readonly format: (value: T) => string;
  /** Given several times, or with commas, the values add up. */
  readonly list?: true;
  /** What a flag without a value means; a flag that has this takes a value only after `=`. */
  readonly bare?: string;
  /** Every value that there is, where they are few. */
  readonly choices?: readonly string[];
}

export function integer(min: number, max: number): OptionType<number> {
  return {
    placeholder: 'N',
    allowed: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (Number.isNaN(value)) return { problem: 'is not a whole number' };
      return within(value, min, max);
    },
    format: String,
  };
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** A number of bytes: `65536`, `64KiB`, `100MiB`, `1GiB`; K, M and G are powers of 1024 with or without the iB. */
export function bytes(min: number, max: number): OptionType<number> {
  return {
    placeholder: 'SIZE',
    allowed: `${formatBytes(min)} to ${formatBytes(max)}, in bytes or with KiB, MiB or GiB`,
    parse: (text) => {
      const match = /^(\d{1,13})\s*(?:([kmg])(?:i?b)?|b)?$/i.exec(text);
      const unit = byteUnits[match?.[2]?.toLowerCase() ?? ''];
      if (!match || unit === undefined) return { problem: 'is not a number of bytes' };
      return within(Number(match[1]) * unit, min, max);
    },
    format: formatBytes,
  };
}

/** The largest unit that divides it. */
export function formatBytes(value: number): string {
  const units = [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const;
  const fitting = units.find(([, size]) => value >= size && value % size === 0);
  return fitting ? `${value / fitting[1]}${fitting[0]}` : String(value);
}

const timeUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A span of time with its unit, as milliseconds. */
export function duration(minMs: number, maxMs: number): OptionType<number> {
  return {
    placeholder: 'TIME',
    allowed: `${formatDuration(minMs)} to ${formatDuration(maxMs)}, with ms, s, m or h`,
    parse: (text) => {
      const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
      const unit = timeUnits[match?.[2] ?? ''];
      if (!match || unit === undefined)
        return { problem: /^\d+$/.test(text) ? 'has no unit' : 'is not a span of time' };
      return within(Math.round(Number(match[1]) * unit), minMs, maxMs);
    },
    format: formatDuration,
  };
}

export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const unit = (['h', 'm', 's'] as const).find((u) => ms % timeUnits[u]! === 0) ?? 'ms';
  return `${ms / timeUnits[unit]!}${unit}`;
}

export function choice<const T extends string>(...choices: readonly T[]): OptionType<T> {
  return {
    placeholder: choices.join('|'),
    allowed: choices.join(', '),
    choices,
    parse: (text) => {
      const value = choices.find((c) => c === text.toLowerCase());
      return value === undefined ? { problem: 'is not one of the choices' } : { value };
    },
    format: String,
  };
}

/** On when the flag is given. */
export const toggle: OptionType<boolean> = {
  placeholder: '',
  allowed: 'nothing, on or off',
  bare: 'on',
  parse: (text) => {
    if (/^(on|true|yes|1)$/i.test(text)) return { value: true };
    if (/^(off|false|no|0)$/i.test(text)) return { value: false };
    return { problem: 'is neither on nor off' };
  },
  format: (value) => (value ? 'on' : 'off'),
};

/** @param pattern - what is allowed, for programs */
export function text(placeholder: string, allowed: string, pattern = /^/): OptionType<string> {
  return {
    placeholder,
    allowed,
    parse: (value) => {
      if (value === '') return { problem: 'is empty' };
      return pattern.test(value) ? { value } : { problem: 'is not allowed' };
    },
    format: String,
  };
}

/** Comma-separated; `check` returns what is wrong with one entry. */
export function list(
  placeholder: string,
  allowed: string,
  check: (entry: string) => string | undefined = () => undefined,
): OptionType<readonly string[]> {
  return {
    placeholder,
    allowed,
    list: true,
    parse: (value) => {
      const entries = value.split(',').flatMap((entry) => entry.trim() || []);
      const problem = entries.map(check).find((found) => found !== undefined);
      return problem === undefined ? { value: entries } : { problem };
    },
    format: (entries) => entries.join(','),
  };
}

export const endpoint: OptionType<Endpoint> = {
  placeholder: 'HOST:PORT',
  allowed: 'host:port, such as 192.168.1.20:52001 or [fd00::1]:52001',
  parse: parseEndpoint,
  format: (value) => value.text,
};

export const listen: OptionType<Endpoint> = {
  placeholder: 'HOST:PORT',
  allowed: 'host:port; no host or * is every interface, port 0 any free one',
  parse: parseListen,
  format: (value) => value.text,
};

function within(value: number, min: number, max: number): Parsed<number> {
  if (value < min) return { problem: 'is too small' };
  return value > max ? { problem: 'is too large' } : { value };
}
