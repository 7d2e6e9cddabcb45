/** Rooms are the folders of a house: `src`, or a room of it that is a house itself. */
import { edgesOf, sourcesOf, textOf } from './imports.ts';

export interface House {
  readonly folder: string;
  /** For each room, those it imports from: of this house, or of `src` around it. */
  readonly allowed: Readonly<Record<string, readonly string[]>>;
  /** The one file beside the rooms that knows some; the others beside them are open to all, and know none. */
  readonly entrance: { readonly file: string; readonly knows: readonly string[] };
}

/** The room of the house that a file lies in. */
export const roomIn = (folder: string, path: string): string | undefined =>
  path.startsWith(`${folder}/`) ? /^([^/]+)\//.exec(path.slice(folder.length + 1))?.[1] : undefined;

/** `a → b` for every import from one room into another. */
export function crossingsIn(folder: string): Set<string> {
  const roomOf = (path: string): string | undefined =>
    path.startsWith(`${folder}/`) ? roomIn(folder, path) : roomIn('src', path);
  return new Set(
    edgesOf(sourcesOf(folder)).flatMap(({ from, to }) => {
      const [here, there] = [roomIn(folder, from), roomOf(to)];
      return here && there && here !== there ? [`${here} → ${there}`] : [];
    }),
  );
}

/** The rooms of the house that files beside them import from, by file. */
export function enteredIn(folder: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { from, to } of edgesOf(sourcesOf(folder))) {
    const there = roomIn(folder, to);
    if (roomIn(folder, from) || !there) continue;
    found[from] = [...new Set([...(found[from] ?? []), there])].sort();
  }
  return found;
}

const codes = (cell: string): string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** The rows of ARCHITECTURE.md that say what a place is for, and in the last column what it knows. */
export const table = textOf('ARCHITECTURE.md')
  .split('\n')
  .filter((line) => /^\| `(src|model|build)\//.test(line))
  .map((line) => line.split('|').slice(1, -1))
  .filter((cells) => cells.length === 3)
  .map(([places = '', , knows = '']) => ({ places: codes(places), knows: codes(knows) }));
