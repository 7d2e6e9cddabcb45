import { type AddressInfo, isIPv6, type Server } from 'node:net';
import type { Config } from '../../config/options.ts';

/**
 * Where `--listen` says; otherwise at every address, at the port of the endpoint.
 * @throws Error with the `code` of Node's error: EADDRINUSE, EACCES, EADDRNOTAVAIL …
 */
export async function listen(
  listener: Server,
  config: Pick<Config, 'listen' | 'endpoint'>,
): Promise<AddressInfo> {
  const { host, port } = config.listen ?? { host: '', port: config.endpoint.port };
  if (host !== '') return listenAt(listener, host, port);
  try {
    return await listenAt(listener, '::', port);
  } catch (error) {
    // A host without IPv6.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(code)) throw error;
    return listenAt(listener, '0.0.0.0', port);
  }
}

function listenAt(listener: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host, port, ipv6Only: isIPv6(host) && host !== '::' }, () => {
      listener.off('error', reject);
      resolve(listener.address() as AddressInfo);
    });
  });
}
