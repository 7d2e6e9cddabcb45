/** From a host to the addresses that may be connected to. */
import { OperatorError } from '../../errors.ts';
import {
  type Address,
  nat64Target,
  parseAddress,
  sameAddress,
  specialUse,
} from './address-policy.ts';
import type { AllowList } from './allow-list.ts';
import type { Resolve } from './system-resolver.ts';
import type { TargetUrl } from './target-url.ts';

/** Every port but these has to be allowed: image servers are seldom elsewhere, mail and database servers are. */
const webPorts: readonly number[] = [80, 443];

export interface ResolveTargetOptions {
  readonly allow: AllowList;
  readonly resolve: Resolve;
  /** The addresses of this machine: its public ones too lead past the firewall in front of it. */
  readonly ownAddresses: () => readonly string[];
}

/**
 * Looks the host up once, judges every address and gives back those that are permitted, to be connected to as they are.
 *
 * @throws OperatorError URL_UNREACHABLE when the name does not resolve; URL_FORBIDDEN when no address is permitted. The
 * message tells no address that the client did not write itself; the log gets them.
 */
export async function resolveTarget(
  target: TargetUrl,
  options: ResolveTargetOptions,
): Promise<readonly string[]> {
  const { host, port } = target;
  const literal = parseAddress(host);
  const texts = literal ? [host] : await resolveName(host, options.resolve);
  const hostAllowed = options.allow.allowsHost(host, port);
  const own = options.ownAddresses().flatMap((text) => parseAddress(text) ?? []);
  const judged = texts.map((text) => {
    const address = parseAddress(text);
    if (!address) return { text, objection: 'not an address' };
    if (hostAllowed) return { text, address, objection: undefined };
    return { text, address, objection: objectionTo(address, port, options.allow, own) };
  });
  const permitted = judged.flatMap(({ address, objection }) =>
    address && objection === undefined ? [address.toString()] : [],
  );
  if (permitted.length > 0) return permitted;

  const cause = new Error(judged.map(({ text, objection }) => `${text}: ${objection}`).join('; '));
  const onlyPort = judged.some(({ objection }) => objection === portObjection);
  const said = onlyPort
    ? `port ${port} is not allowed, only ${webPorts.join(' and ')} are`
    : literal
      ? `${host} is ${judged[0]?.objection}`
      : `${host} leads to an address that is not public`;
  throw new OperatorError(
    'URL_FORBIDDEN',
    `${said}; --url-allow ${onlyPort ? target.authority : host} lets it through`,
    { cause },
  );
}

const portObjection = 'a port that is not allowed';

/** Why `address` may not be connected to; `undefined` when it may. */
function objectionTo(
  address: Address,
  port: number,
  allow: AllowList,
  own: readonly Address[],
): string | undefined {
  if (allow.allowsAddress(address, port)) {
    // Allowing the NAT64 prefix lets an IPv6-only machine reach IPv4 through it, not whatever lies behind the gateway.
    const behind = nat64Target(address);
    return behind && objectionTo(behind, port, allow, own);
  }
  const special = specialUse(address);
  if (special) return special;
  if (own.some((mine) => sameAddress(mine, address))) return 'an address of this machine';
  return webPorts.includes(port) ? undefined : portObjection;
}

async function resolveName(host: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    const addresses = await resolve(host);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    throw new OperatorError('URL_UNREACHABLE', `the name ${host} does not resolve`, { cause });
  }
  throw new OperatorError('URL_UNREACHABLE', `the name ${host} has no address`);
}
