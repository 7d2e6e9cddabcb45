import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { isUnspecified } from '../phantoscope/advertised-endpoint.ts';

/**
 * What Identity will say and others cannot use. Only hints: who calls the operator by another address is served all the same,
 * Phantoscope v0.2 never looks at it, and a name is for others to resolve.
 */
export async function warnOfEndpoint(
  { host, port, text }: Endpoint,
  warn: (fields: { host: string }, message: string) => void,
): Promise<void> {
  if (isUnspecified(host)) {
    warn(
      { host },
      `--endpoint ${text} is what Identity tells Phantoscope, and nobody reaches this machine by ${host}: ` +
        `give the address that others reach it by, for example 192.168.1.20:${port}; every interface is listened on anyway`,
    );
    return;
  }
  if (isIP(host) !== 0) return;
  try {
    await lookup(host);
  } catch {
    warn({ host }, `the name "${host}" of --endpoint does not resolve on this machine`);
  }
}
