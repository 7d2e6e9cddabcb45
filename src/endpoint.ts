/** `host:port` as people write it, and what is wrong with it in words that lead to the cause. */
import { isIP, isIPv6 } from 'node:net';

export interface Endpoint {
  /** Name or address, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it was written. */
  readonly text: string;
}

export type Parsed<T> = { readonly value: T } | { readonly problem: string };

const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** Names as DNS and Docker have them; all-digit ends are mistyped IPv4 addresses, as WHATWG's URL sees it too. */
function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  return host.length <= 253 && labels.every((l) => label.test(l)) && !/^\d+$/.test(labels.at(-1)!);
}

/** Splits at the colon before the port. */
function split(text: string): Parsed<{ host: string; port: string }> {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme) return { problem: `begins with "${scheme}", and a scheme does not belong here` };
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const [, host = '', port = ''] = bracketed;
    if (host !== '' && !isIPv6(host))
      return { problem: `has "${host}" in brackets, which are for IPv6 addresses only` };
    return { value: { host, port } };
  }
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { value: { host: text, port: '' } };
  const host = text.slice(0, colon);
  if (host.includes(':')) return { problem: 'has an IPv6 address that is not in brackets' };
  return { value: { host, port: text.slice(colon + 1) } };
}

function parsePort(text: string, smallest: number): Parsed<number> {
  if (text === '') return { problem: 'has no port' };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < smallest || port > 65535)
    return { problem: `has the port "${text}", which is not a number from ${smallest} to 65535` };
  return { value: port };
}

/** An address that others can dial: host and port are needed. */
export function parseEndpoint(text: string): Parsed<Endpoint> {
  if (text === '') return { problem: 'is empty' };
  if (/^\d+$/.test(text)) return { problem: 'is a port, and has no host' };
  const parts = split(text);
  if ('problem' in parts) return parts;
  const { host } = parts.value;
  if (host === '')
    return { problem: 'has no host (is the variable that was to give the address empty?)' };
  if (isIP(host) === 0 && !isHostName(host))
    return { problem: `has the host "${host}", which is neither a name nor an address` };
  const zone = /%.*/.exec(host)?.[0];
  if (zone !== undefined)
    return {
      problem: `has the zone "${zone}", an interface of one machine: others cannot dial that address`,
    };
  const port = parsePort(parts.value.port, 1);
  return 'problem' in port ? port : { value: { host, port: port.value, text } };
}

/** An address to listen on: an empty host or `*` is every interface, port 0 any free one. */
export function parseListen(text: string): Parsed<Endpoint> {
  if (text === '') return { problem: 'is empty' };
  if (/^\d+$/.test(text)) return { problem: `is a port without its colon: write ":${text}"` };
  const parts = split(text);
  if ('problem' in parts) return parts;
  const host = parts.value.host === '*' ? '' : parts.value.host;
  if (host !== '' && isIP(host) === 0 && !isHostName(host))
    return { problem: `has the host "${host}", which is neither a name nor an address` };
  const port = parsePort(parts.value.port, 0);
  return 'problem' in port ? port : { value: { host, port: port.value, text } };
}

/** `host:port` for people and programs, an IPv6 host in brackets. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
