/** What a call and a connection may take up. Each refusal names the flag. */
import { option, optional } from '../option.ts';
import { bytes, choice, duration, integer, list } from '../option-types.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const serve = ['serve'];

export const limitOptions = {
  memory: optional({
    type: bytes(256 * MiB, 1024 * GiB),
    fallbackText: "the machine's, or what its container may take",
    group: 'memory',
    commands: serve,
    description:
      'Memory that the operator may count on; the following are shares of it. It needs 640MiB; with less it warns.',
  }),
  maxBytesInFlight: optional({
    type: bytes(MiB, 64 * GiB),
    fallbackText: 'an eighth of the memory, from 64MiB to 1GiB',
    group: 'memory',
    commands: serve,
    description:
      'Most bytes of requests held at once, over all calls, until their images are done; further ones are refused.',
  }),
  maxFetchedBytes: optional({
    type: bytes(MiB, 64 * GiB),
    fallbackText: 'a sixteenth, from 32MiB to 512MiB',
    group: 'memory',
    commands: serve,
    description:
      'Most bytes of files fetched by URL held at once, until they are decoded; never less than one file may have.',
  }),
  maxDecodedBytes: optional({
    type: bytes(MiB, 64 * GiB),
    fallbackText: 'a quarter, from 128MiB to 4GiB',
    group: 'memory',
    commands: serve,
    description:
      'Most bytes that decoding takes at once; images wait for their share of it, and one that needs more is refused.',
  }),
  maxImages: option({
    type: integer(1, 100_000),
    fallback: 256,
    group: 'images',
    commands: serve,
    description: 'Most images in one call.',
  }),
  maxImageBytes: option({
    type: bytes(KiB, GiB),
    fallback: 100 * MiB,
    group: 'images',
    commands: serve,
    description: 'Most bytes of one encoded image, after base64.',
  }),
  maxImagePixels: option({
    type: integer(1, 1_000_000_000),
    fallback: 100_000_000,
    group: 'images',
    commands: serve,
    description: 'Most pixels of one image, width times height, read before it is decoded.',
  }),
  maxQueue: option({
    type: integer(1, 1_000_000),
    fallback: 1024,
    group: 'images',
    commands: serve,
    description:
      'Most images waiting or being worked on, over all calls, and as many URLs; further ones are refused.',
  }),
  maxQueuePixels: option({
    type: integer(1, 1_000_000_000_000),
    fallback: 2_000_000_000,
    group: 'images',
    commands: serve,
    description:
      'Most pixels of those images, where the first bytes of the file tell; twenty of the largest.',
  }),
  urlFetch: option({
    type: choice('on', 'off'),
    fallback: 'on',
    group: 'urls',
    commands: serve,
    description: 'Whether the operator fetches images by URL.',
  }),
  urlAllow: option({
    type: list(
      'ENTRIES',
      'hosts (minio:9000), addresses and networks such as 10.0.0.0/8, with commas between',
    ),
    fallback: [],
    fallbackText: 'none',
    group: 'urls',
    commands: serve,
    description:
      'Hosts, addresses and networks that may be fetched from although they are not public.',
  }),
  urlConnectTimeout: option({
    type: duration(100, hour),
    fallback: 5 * second,
    group: 'urls',
    commands: serve,
    description: 'Longest for look-up, connection and TLS of one hop.',
  }),
  urlFirstByteTimeout: option({
    type: duration(100, hour),
    fallback: 10 * second,
    group: 'urls',
    commands: serve,
    description: "Longest from the request to the response's complete header.",
  }),
  urlTimeout: option({
    type: duration(100, hour),
    fallback: 30 * second,
    group: 'urls',
    commands: serve,
    description: 'Longest for one file, redirects included; waiting for its turn does not count.',
  }),
  urlMaxRedirects: option({
    type: integer(0, 10),
    fallback: 3,
    group: 'urls',
    commands: serve,
    description: 'Most redirects that are followed; each is judged anew.',
  }),
  urlConcurrency: option({
    type: integer(1, 1024),
    fallback: 16,
    group: 'urls',
    commands: serve,
    description: 'Most files being fetched, or held until they are decoded, at a time.',
  }),
  maxMessageBytes: option({
    type: bytes(KiB, GiB),
    fallback: 100 * MiB,
    group: 'limits',
    commands: serve,
    description:
      "Most bytes of one request or reply, unpacked; Phantoscope's own limit is the same.",
  }),
  requestTimeout: option({
    type: duration(100, 24 * hour),
    fallback: 5 * minute,
    group: 'limits',
    commands: serve,
    description: 'Longest a call may take, whatever deadline the client has set.',
  }),
  stallTimeout: option({
    type: duration(100, hour),
    fallback: 30 * second,
    group: 'limits',
    commands: serve,
    description: 'Longest that the next 16 KiB of a request, or its end, may take to come.',
  }),
  drainTimeout: option({
    type: duration(0, hour),
    fallback: 30 * second,
    group: 'limits',
    commands: serve,
    description: 'Longest that running calls are waited for at the end (SIGTERM, SIGINT).',
  }),
  maxConnections: option({
    type: integer(1, 1_000_000),
    fallback: 1024,
    group: 'limits',
    commands: serve,
    description: 'Most connections at once; further ones are closed.',
  }),
  maxConcurrentStreams: option({
    type: integer(1, 100_000),
    fallback: 100,
    group: 'limits',
    commands: serve,
    description: 'Most calls at once on one HTTP/2 connection.',
  }),
  maxCalls: option({
    type: integer(1, 1_000_000),
    fallback: 2048,
    group: 'limits',
    commands: serve,
    description:
      'Most calls of Execute at once on all connections, and as many requests of other kinds; further ones are refused.',
  }),
  maxHeaderBytes: option({
    type: bytes(KiB, MiB),
    fallback: 16 * KiB,
    group: 'limits',
    commands: serve,
    description: "Most bytes of a request's header.",
  }),
  headerTimeout: option({
    type: duration(100, hour),
    fallback: 10 * second,
    group: 'limits',
    commands: serve,
    description: 'Longest that a new connection may take to send its first request.',
  }),
  idleTimeout: option({
    type: duration(second, 24 * hour),
    fallback: 5 * minute,
    group: 'limits',
    commands: serve,
    description: 'How long a connection without calls is kept.',
  }),
};
