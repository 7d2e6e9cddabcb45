/** The table of options for people: `--help` and the README. */
import { entry } from './help-lines.ts';
import { flagOf, type Group, groups, type Option, variableOf } from './option.ts';
import { optionRows } from './options.ts';

const defaultOf = (row: Option<unknown>): string | undefined =>
  row.fallbackText ??
  (row.fallback === undefined ? undefined : row.type.format(row.fallback ?? ''));

/** `-e, --endpoint HOST:PORT`. */
const usage = (name: string, { short, type }: Option<unknown>): string =>
  `${short ? `-${short}, ` : ''}${flagOf(name)} ${type.placeholder}`.trim();

/** The options of one command by group, flags on the left, sentences on the right. */
export function optionsHelp(command: string, width: number): string {
  return sections((row) => row.commands.includes(command))
    .map(({ title, rows }) => {
      const lines = rows.flatMap(([name, row]) => {
        const fallback = defaultOf(row);
        const notes = [...(fallback ? [`default: ${fallback}`] : []), variableOf(name)];
        return entry(usage(name, row), `${row.description} [${notes.join('; ')}]`, width);
      });
      return [`${title}:`, ...lines].join('\n');
    })
    .join('\n\n');
}

/** Tables in Markdown, one a group, for the README. */
export function optionsMarkdown(): string {
  return sections(() => true)
    .map(({ title, rows }) =>
      [
        `### ${title}`,
        '',
        '| Flag | Variable | Default | What it does | Commands |',
        '|---|---|---|---|---|',
        ...rows.map(([name, row]) => {
          const flag = usage(name, row).replaceAll('|', '\\|');
          const fallback =
            row.fallbackText ?? (row.fallback === undefined ? '' : `\`${defaultOf(row)}\``);
          return `| \`${flag}\` | \`${variableOf(name)}\` | ${fallback} | ${row.description} | ${row.commands.join(', ')} |`;
        }),
      ].join('\n'),
    )
    .join('\n\n');
}

function sections(
  wanted: (row: Option<unknown>) => boolean,
): { title: string; rows: (typeof optionRows)[number][] }[] {
  return (Object.keys(groups) as Group[])
    .map((group) => ({
      title: groups[group],
      rows: optionRows.filter(([, row]) => row.group === group && wanted(row)),
    }))
    .filter(({ rows }) => rows.length > 0);
}
