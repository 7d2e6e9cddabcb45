/** What the machine itself knows about names and about its own addresses. */
import { getServers, Resolver, setServers } from 'node:dns';
import { statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** All addresses of a name, in the order of preference; rejects when the name does not resolve. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const resolvConf = '/etc/resolv.conf';

/**
 * Looks names up with the hosts file, the name servers and the search domains of the system, without a thread.
 *
 * On Linux that takes c-ares: Bun's other way, getaddrinfo, runs on the pool that also reads files and unpacks gzip, and a
 * name whose servers do not answer keeps a thread for 10 s. Four such names on a machine with two cores held up every file
 * and every gunzip for 20 s. But c-ares reads its configuration once, so new name servers are told to it here.
 */
export function createSystemResolve(): Resolve {
  let known = modified(resolvConf);
  return async (host) => {
    if (process.platform !== 'linux') return addresses(await Bun.dns.lookup(host));
    const now = modified(resolvConf);
    if (now !== known) {
      known = now;
      // A new resolver reads the file; look-ups go through the common one.
      const servers = new Resolver().getServers();
      if (servers.length > 0 && servers.join() !== getServers().join()) setServers(servers);
    }
    return addresses(await Bun.dns.lookup(host, { backend: 'c-ares' }));
  };
}

/** The addresses of this machine's network interfaces. */
export const systemAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));

const addresses = (records: readonly { address: string }[]) => records.map((r) => r.address);

const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
