/** Sentences about options in the words of whoever gave them: `--threads 99` is `OP_THREADS=99` where that was the variable. */
import type { OptionType } from './option-types.ts';

/** An option that a variable has set. */
export interface SetByVariable {
  readonly flag: string;
  readonly variable: string;
  /** As it was read. */
  readonly text: string;
  readonly choices: OptionType<unknown>['choices'];
}

export type NameAsGiven = (sentence: string) => string;

/** Commands in backquotes stay as they are: they are other programs'. */
export function nameAsGiven(set: readonly SetByVariable[]): NameAsGiven {
  return (sentence) =>
    sentence
      .split('`')
      .map((part, index) => (index % 2 === 0 ? set.reduce(rename, part) : part))
      .join('`');
}

/** The flag, with the value that was read or another one that is proposed in its place. */
function rename(sentence: string, { flag, variable, text, choices = [] }: SetByVariable): string {
  const values = [text, ...choices].map((value) => RegExp.escape(value)).join('|');
  const pattern = new RegExp(`(?<![\\w-])${flag}(?![\\w-])(?: (${values})(?!\\.?[\\w/-]))?`, 'g');
  return sentence.replace(pattern, (_, value?: string) =>
    value === undefined ? variable : `${variable}=${value}`,
  );
}
