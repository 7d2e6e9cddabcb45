/** `--adapter`: a GPU by its number or by a part of its name. */
import type { ListedAdapter } from './dawn.ts';

export interface Choice {
  readonly chosen: ListedAdapter;
  /** For the log, when others were meant as well. */
  readonly note?: string;
}

/**
 * The one whose name it is, else the first that it is a part of.
 * @param wanted - a position in `adapters`, from 0, or a part of a name, in any case and in either spelling; a number that
 *   is no position may still be in a name
 * @throws Error that lists what there is, when none is meant, or one that Dawn cannot tell from another
 */
export function chooseAdapter(wanted: string, adapters: readonly ListedAdapter[]): Choice {
  const number = (adapter: ListedAdapter): string =>
    `${adapters.indexOf(adapter)}: ${adapter.name}`;
  const all = adapters.map(number).join(', ') || 'none';
  const meant = /^\d+$/.test(wanted) ? adapters.slice(Number(wanted), Number(wanted) + 1) : [];
  if (meant.length === 0) meant.push(...named(wanted, adapters));
  const [chosen] = meant;
  if (!chosen) throw new Error(`no adapter is "${wanted}" (there are: ${all})`);
  // The addon takes the first adapter whose name contains the text it is given, so of two with one name only the first
  // can be had, and none whose name is part of an earlier one's.
  const first = foundBy(chosen, adapters);
  if (first !== chosen)
    throw new Error(
      `adapter "${wanted}" cannot be told from ${number(first)}, which is found first; hide that one from this process (there are: ${all})`,
    );
  if (meant.length === 1) return { chosen };
  return {
    chosen,
    note: `--adapter ${wanted} is a part of several names (${meant.map(number).join(', ')}): the first is taken`,
  };
}

/** The adapter that Dawn gives when it is asked for this one's name. */
export const foundBy = (
  { name }: ListedAdapter,
  adapters: readonly ListedAdapter[],
): ListedAdapter => adapters.find((adapter) => adapter.name.includes(name))!;

function named(wanted: string, adapters: readonly ListedAdapter[]): readonly ListedAdapter[] {
  const lower = wanted.toLowerCase();
  const whole = adapters.filter(({ name }) => name.toLowerCase() === lower);
  if (whole.length > 0) return whole.slice(0, 1);
  const other = (name: string): boolean => /[a-z]/.test(lower) && webName(name).includes(lower);
  return adapters.filter(({ name }) => name.toLowerCase().includes(lower) || other(name));
}

/** A name as `GPUAdapterInfo.device` has it, which is what browsers and older versions of this program print. */
export const webName = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
