/** What can be told of an advertised address without calling it. */
import { BlockList, isIP } from 'node:net';
import type { Endpoint } from '../endpoint.ts';
import { PhantoscopeError } from './failure.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
const unspecified = new BlockList();
unspecified.addAddress('0.0.0.0', 'ipv4');
unspecified.addAddress('::', 'ipv6');

function isIn(list: BlockList, host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  const version = isIP(bare);
  return version !== 0 && list.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}

export const isLoopback = (host: string): boolean =>
  /^localhost\.?$/i.test(host) || isIn(loopback, host);

/** Stands for every address of a host: to be listened on, not to be called. */
export const isUnspecified = (host: string): boolean => isIn(unspecified, host);

/** The same address, written in one way: case, a trailing dot and an IPv6 address's spelling do not matter. */
export function sameEndpoint(one: string, other: string): boolean {
  const canonical = (text: string): string => {
    try {
      const url = new URL(`http://${text}`);
      // URL drops the port that is http's own default.
      return `${url.hostname.replace(/\.$/, '')}:${url.port || '80'}`;
    } catch {
      return text;
    }
  };
  return canonical(one) === canonical(other);
}

/**
 * Refuses an address that the API server at `apiUrl` could not use, whatever listens there.
 * @throws PhantoscopeError `endpoint`
 */
export function assertAdvertisable(endpoint: Endpoint, apiUrl: string): void {
  const example = `for example OP_ENDPOINT=192.168.1.20:${endpoint.port}`;
  if (isUnspecified(endpoint.host)) {
    throw new PhantoscopeError(
      'endpoint',
      `${endpoint.text} stands for every address of a host and leads nowhere from another one: ` +
        `advertise the address under which Phantoscope reaches this operator, ${example}`,
    );
  }
  const apiHost = new URL(apiUrl).hostname;
  if (isLoopback(endpoint.host) && !isLoopback(apiHost)) {
    throw new PhantoscopeError(
      'endpoint',
      `${endpoint.text} is a loopback address, and Phantoscope at ${apiHost} would look for the operator on itself: ` +
        `advertise the address under which it reaches this host, ${example}`,
    );
  }
}

/** Said when the API server could not reach what answers here. */
export function unreachableFromPhantoscope(endpoint: Endpoint, apiUrl: string): string {
  const { host } = endpoint;
  return isLoopback(host)
    ? `Phantoscope usually runs in a container, where ${host} is the container itself: advertise this host's own address.`
    : `The operator answers from here; look for a firewall between it and ${new URL(apiUrl).host}, or for an address ` +
        'that is only known here.';
}
