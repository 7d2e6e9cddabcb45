/** `--adapter`: a GPU by its number or by a part of its name. */
import type { ListedAdapter } from './dawn.ts';

/**
 * @param wanted - a position in `adapters`, from 0, or a part of a name, in any case
 * @throws Error that lists what there is, when none or several are meant
 */
export function chooseAdapter(wanted: string, adapters: readonly ListedAdapter[]): ListedAdapter {
  const listed = adapters.map(({ name }, index) => `${index}: ${name}`).join(', ') || 'none';
  const named = adapters.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  const meant = /^\d+$/.test(wanted) ? adapters.slice(Number(wanted), Number(wanted) + 1) : named;
  const [chosen] = meant;
  if (!chosen) throw new Error(`no adapter is "${wanted}" (there are: ${listed})`);
  // The addon takes the first adapter whose name contains the text it is given, so of two with one name only the first
  // can be had, and none whose name is part of an earlier one's.
  const first = adapters.find(({ name }) => name.includes(chosen.name));
  if (first !== chosen)
    throw new Error(
      `adapter "${wanted}" cannot be told from ${adapters.indexOf(first!)}: ${first!.name}, which is found first; hide that one from this process (there are: ${listed})`,
    );
  return chosen;
}
