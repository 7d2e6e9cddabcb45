/** Opens the connection that a request is sent over, to addresses that were judged: no name is looked up from here on. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { abortError, OperatorError } from '../../errors.ts';
import type { TargetUrl } from './target-url.ts';
import { spell, withTimeLimit } from './time-limit.ts';

/** A name with many dead addresses would otherwise leave each of them too little time. */
const maxAddresses = 4;

export interface ConnectOptions {
  /** The configured limit for look-up and connection, milliseconds; errors name it. */
  readonly timeoutMs: number;
  /** What the look-up has left of it, for all addresses together, milliseconds. */
  readonly left: number;
  /** Certificates to trust, PEM. @default those that Bun ships with */
  readonly ca?: readonly string[] | undefined;
}

/**
 * Tries the addresses in order, up to four, each with an equal share of the time that is left.
 *
 * @returns a connected socket; with https, one whose certificate is valid for the host. The caller destroys it.
 * @throws OperatorError URL_UNREACHABLE or URL_TIMEOUT, as the last address failed; CANCELLED, DEADLINE
 */
export async function connect(
  target: TargetUrl,
  addresses: readonly string[],
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const tried = addresses.slice(0, maxAddresses);
  const end = performance.now() + options.left;
  const late = () =>
    new OperatorError(
      'URL_TIMEOUT',
      `no connection to ${target.host} within ${spell(options.timeoutMs)} (--url-connect-timeout)`,
    );
  let failure: OperatorError | undefined;
  for (const [index, address] of tried.entries()) {
    const share = (end - performance.now()) / (tried.length - index);
    try {
      return await withTimeLimit(signal, Math.max(1, share), late, (limited) =>
        open(target, address, options.ca, limited),
      );
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof OperatorError)) throw thrown;
      failure = thrown;
    }
  }
  throw failure ?? new OperatorError('URL_UNREACHABLE', `${target.host} has no address`);
}

async function open(
  target: TargetUrl,
  address: string,
  ca: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const tcp = connectTcp({ host: address, port: target.port });
  await opened(tcp, 'connect', target, signal);
  if (!target.secure) return tcp;
  const tls = connectTls({
    socket: tcp,
    host: target.host,
    // RFC 6066, section 3: a literal address is not a server name.
    ...(isIP(target.host) === 0 && { servername: target.host }),
    ALPNProtocols: ['http/1.1'],
    // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment must not switch the check off.
    rejectUnauthorized: true,
    ...(ca && { ca: [...ca] }),
  });
  await opened(tls, 'secureConnect', target, signal);
  return tls;
}

/** Settles when `socket` emits `event`, or fails; a socket that failed or is given up is destroyed. */
function opened(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  target: TargetUrl,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: OperatorError) => {
    socket.destroy();
    reject(error);
  };
  const onAbort = () => fail(abortError(signal));
  const unreachable = (cause: unknown) =>
    new OperatorError(
      'URL_UNREACHABLE',
      `${event === 'connect' ? 'no connection' : 'no trusted TLS connection'} to ${target.host}`,
      { cause },
    );
  // The listener stays: a socket may fail again after it was given up, and an unheard error ends the process.
  socket.on('error', (cause) => fail(unreachable(cause)));
  socket.once('close', () => fail(unreachable(undefined)));
  socket.once(event, () => resolve());
  signal.addEventListener('abort', onAbort, { once: true });
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}
