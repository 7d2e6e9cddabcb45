/** Which addresses are on the public internet. What is special about the others is written in IANA's registries. */
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What ipaddr.js calls a range, said to a person. */
const kinds: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  broadcast: 'the broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address',
  loopback: 'a loopback address',
  carrierGradeNat: 'an address behind a carrier-grade NAT',
  private: 'a private address',
  uniqueLocal: 'a unique local address',
  rfc6052: 'a NAT64 address',
  rfc6145: 'an IPv4-translated address',
  '6to4': 'a 6to4 address',
  teredo: 'a Teredo address',
};

/** Addresses within public ranges that serve a cloud's own machines only. */
const platformServices = [
  ipaddr.parse('168.63.129.16'), // Azure's WireServer and DNS, reachable from every virtual machine there
];

/** IANA hands out global unicast addresses from here only; everything outside is special or unassigned (RFC 4291). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** RFC 6052's well-known prefix: the last 32 bits are an IPv4 address. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * An address in the form that resolvers and `URL` write; `undefined` for anything else, the loose IPv4 forms included.
 * An IPv4-mapped IPv6 address becomes the IPv4 address: the kernel connects there.
 */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** The IPv4 address that a NAT64 gateway would connect to for `address`. */
export function nat64Target(address: Address): Address | undefined {
  if (!(address instanceof ipaddr.IPv6) || !address.match(nat64)) return undefined;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/** Why `address` is not a public one, as "a private address"; `undefined` when it is public. */
export function specialUse(address: Address): string | undefined {
  const range = address.range();
  if (range !== 'unicast') return kinds[range] ?? 'a reserved address';
  if (address instanceof ipaddr.IPv6) {
    return address.match(globalUnicast) ? undefined : 'a reserved address';
  }
  const isPlatformService = platformServices.some((known) => sameAddress(known, address));
  return isPlatformService ? "an address of the cloud platform's own" : undefined;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.kind() === b.kind() && a.toNormalizedString() === b.toNormalizedString();
}
