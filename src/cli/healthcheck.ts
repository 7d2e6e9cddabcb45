/** `healthcheck`: the operator's own Healthy, as a container's supervisor calls it. */

import type { Config } from '../config/options.ts';
import { formatHostPort } from '../endpoint.ts';
import { printable } from '../phantoscope/failure.ts';
import { connectOperator } from '../phantoscope/operator-client.ts';
import type { CommandContext } from './command.ts';

/** Docker gives a check 30 s by default, Kubernetes an exec probe 1 s. */
const timeoutMs = 3000;

/**
 * Docker keeps what it says every few seconds, and `serve` beside it has warned of the same variables: warnings are told only
 * where one of them may be why nobody answers.
 */
export async function healthcheck({
  config,
  warnings,
  print,
  complain,
}: CommandContext): Promise<number> {
  const client = connectOperator(ownAddress(config), { timeoutMs });
  try {
    const said = await client.healthy();
    // As Phantoscope has it: another word is another state.
    if (said !== 'healthy') throw new Error(`the operator says "${printable(said, 40)}"`);
    print(said);
    return 0;
  } catch (error) {
    complain(`not healthy: ${error instanceof Error ? error.message : String(error)}`);
    for (const warning of warnings) complain(`warning: ${warning}`);
    return 1;
  } finally {
    client.close();
  }
}

/** Where this machine reaches what `serve` with the same options listens on; the endpoint's host is for others. */
function ownAddress({ endpoint, listen }: Config): string {
  const { host, port } = listen ?? { host: '', port: endpoint.port };
  const unspecified: Readonly<Record<string, string>> = {
    '': '127.0.0.1',
    '0.0.0.0': '127.0.0.1',
    '::': '::1',
  };
  return formatHostPort(unspecified[host] ?? host, port);
}
