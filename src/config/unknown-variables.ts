/** Variables that begin like ours and are none of them. */
import type { Environment } from '../environment.ts';
import { suggest } from './suggest.ts';

/** What other servers call it. */
const otherWords: Readonly<Record<string, string>> = {
  ...{ OP_PORT: 'OP_LISTEN=:PORT', OP_HOST: 'OP_LISTEN=HOST:PORT', OP_BIND: 'OP_LISTEN=HOST:PORT' },
};

/** How many are named where no option is near. */
const named = 5;

/**
 * Sentences for the log. A warning and no more, since other programs' variables begin with OP_ as well; their values, which
 * may be secrets, are not told.
 * @param known - the variables of all options
 */
export function unknownVariables(env: Environment, known: readonly string[]): string[] {
  const unknown = Object.entries(env).flatMap(([name, value = '']) =>
    name.startsWith('OP_') && value !== '' && !known.includes(name) && !isServiceLink(name, value)
      ? [{ name, near: otherWords[name] ?? suggest(name, known) }]
      : [],
  );
  const strange = unknown.flatMap(({ name, near }) => (near ? [] : [name]));
  const more = strange.length > named ? ` and ${strange.length - named} more` : '';
  return [
    ...unknown.flatMap(({ name, near }) =>
      near ? [`the variable ${name} means nothing here, did you mean ${near}?`] : [],
    ),
    ...(strange.length === 0
      ? []
      : [
          `no option belongs to ${strange.slice(0, named).join(', ')}${more}; --help lists the variables that are read`,
        ]),
  ];
}

/** Kubernetes sets these in every container for each service of the namespace, such as one that is called `op`. */
function isServiceLink(name: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) ||
    /^(tcp|udp|sctp):\/\//.test(value)
  );
}
