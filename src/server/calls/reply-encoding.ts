/** Which replies are worth packing. */
import { compressionGzip } from '@connectrpc/connect-node';
import type { Protocol } from '../call-record.ts';

/** Requests may be packed with this. Not with Brotli: at its default level it packs hundreds of times slower. */
export const acceptCompression = [compressionGzip];

/** Smaller replies are sent as they are: Identity, Healthy, a binary reply with a vector. */
export const compressMinBytes = 16 * 1024;

/**
 * Float32 vectors hardly pack, and grpcio and grpc-js offer gzip on every call without being asked: a binary reply is
 * packed only for a client that packs its requests. JSON packs well and is packed for all who offer it.
 * @param header - the request's; changed in place
 */
export function acceptReplyEncoding(header: Headers, protocol: Protocol): void {
  if (protocol === 'connect') {
    const json = /json/.test(header.get('content-type') ?? '');
    if (!json && !packs(header, 'content-encoding')) header.delete('accept-encoding');
  } else if (!packs(header, 'grpc-encoding')) header.set('grpc-accept-encoding', 'identity');
}

const packs = (header: Headers, name: string): boolean =>
  (header.get(name) ?? 'identity') !== 'identity';
