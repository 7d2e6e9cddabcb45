/** What `--url-allow` lists: networks, addresses and hosts that are let through although they are not public. */
import ipaddr from 'ipaddr.js';
import { ConfigError } from '../../errors.ts';
import { type Address, parseAddress } from './address-policy.ts';
import { canonicalHost } from './target-url.ts';

export interface AllowList {
  /** True when the name itself is listed: it may then lead to any address. */
  allowsHost(host: string, port: number): boolean;
  allowsAddress(address: Address, port: number): boolean;
}

type Network = [Address, number];
type Entry =
  | { readonly network: Network; readonly port: number | undefined }
  | { readonly host: string; readonly port: number | undefined };

/**
 * Reads entries such as `10.0.0.0/8`, `fd00::/8`, `192.168.1.5`, `192.168.1.5:9000`, `[fd00::5]:9000`, `minio` and
 * `minio:9000`. An entry without a port covers every port. Names are compared whole and without regard to case.
 *
 * @throws ConfigError naming every entry that cannot be read
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const parsed: Entry[] = [];
  const bad: string[] = [];
  for (const text of entries) {
    const entry = parseEntry(text.trim());
    if (entry) parsed.push(entry);
    else bad.push(JSON.stringify(text));
  }
  if (bad.length > 0) {
    throw new ConfigError(
      `--url-allow: ${bad.join(', ')} is not a network such as 10.0.0.0/8, an address, a host or host:port`,
    );
  }
  const covers = (entry: Entry, port: number) => entry.port === undefined || entry.port === port;
  return {
    allowsHost: (host, port) =>
      parsed.some((entry) => 'host' in entry && entry.host === host && covers(entry, port)),
    allowsAddress: (address, port) =>
      parsed.some(
        (entry) => 'network' in entry && within(address, entry.network) && covers(entry, port),
      ),
  };
}

function parseEntry(text: string): Entry | undefined {
  const bare = parseAddress(text);
  if (bare) return { network: single(bare), port: undefined };
  if (text.includes('/')) {
    const network = parseNetwork(text);
    return network && { network, port: undefined };
  }
  const { host: name, port, valid } = splitPort(text);
  const host = valid ? normaliseHost(name) : undefined;
  if (host === undefined) return undefined;
  const address = parseAddress(host);
  return address ? { network: single(address), port } : { host, port };
}

function parseNetwork(text: string): Network | undefined {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return ipaddr.IPv4.parseCIDR(text);
  if (!ipaddr.IPv6.isValidCIDR(text)) return undefined;
  const [address, bits] = ipaddr.IPv6.parseCIDR(text);
  // Addresses are compared as IPv4 once they are unwrapped, so networks have to be.
  const mapped = address.isIPv4MappedAddress() && bits >= 96;
  return mapped ? [address.toIPv4Address(), bits - 96] : [address, bits];
}

function splitPort(text: string): { host: string; port: number | undefined; valid: boolean } {
  const colon = text.lastIndexOf(':');
  if (colon <= text.lastIndexOf(']')) return { host: text, port: undefined, valid: true };
  const digits = text.slice(colon + 1);
  const port = Number(digits);
  const valid = String(port) === digits && Number.isInteger(port) && port >= 1 && port <= 65535;
  return { host: text.slice(0, colon), port, valid };
}

/** The host as `URL` writes it (lower case, punycode, IPv4 in four decimal parts), so that both sides compare equal. */
function normaliseHost(host: string): string | undefined {
  const text = `http://${host}/`;
  // URL takes a star as a letter; whoever writes one means a pattern, which there is none of.
  if (host.includes('@') || host.includes('*') || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const onlyHost = url.pathname === '/' && url.search === '' && url.hash === '' && url.port === '';
  return onlyHost ? canonicalHost(url) : undefined;
}

const single = (address: Address): Network => [address, address.kind() === 'ipv4' ? 32 : 128];

function within(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
