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
    fallbackText: "the machine's, or what its container is allowed",
    group: 'memory',
    commands: serve,
    description:
      'Memory that the operator may use. The next three options are shares of it. Below 640MiB it warns.',
  }),
  maxBytesInFlight: optional({
    type: bytes(MiB, 64 * GiB),
    fallbackText: 'an eighth of --memory, from 64MiB to 1GiB',
    group: 'memory',
    commands: serve,
    description:
      'Most bytes of all requests together, counted until their images are done. Further requests are refused.',
  }),
  maxFetchedBytes: optional({
    type: bytes(MiB, 64 * GiB),
    fallbackText: 'a sixteenth of --memory, from 32MiB to 512MiB',
    group: 'memory',
    commands: serve,
    description:
      'Most bytes of all files fetched by URL together, counted until they are decoded. One file of --max-image-bytes always fits.',
  }),
  maxDecodedBytes: optional({
    type: bytes(MiB, 64 * GiB),
    fallbackText: 'a quarter of --memory, from 128MiB to 4GiB',
    group: 'memory',
    commands: serve,
    description:
      'Most memory for decoding images. Images wait for their share; one that needs more than all of it is refused.',
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
    description: 'Most bytes of one image file, without base64.',
  }),
  maxImagePixels: option({
    type: integer(1, 1_000_000_000),
    fallback: 100_000_000,
    group: 'images',
    commands: serve,
    description: 'Most pixels of one image, width times height. Checked before it is decoded.',
  }),
  maxQueue: option({
    type: integer(1, 1_000_000),
    fallback: 1024,
    group: 'images',
    commands: serve,
    description:
      'Most images of all calls together, waiting or being worked on, and as many URLs. Further ones are refused.',
  }),
  maxQueuePixels: option({
    type: integer(1, 1_000_000_000_000),
    fallback: 2_000_000_000,
    group: 'images',
    commands: serve,
    description:
      'Most pixels of all these images together. Only images that tell their size in their first bytes count.',
  }),
  urlFetch: option({
    type: choice('on', 'off'),
    fallback: 'on',
    group: 'urls',
    commands: serve,
    description: 'Whether images may be given as URLs.',
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
      'Hosts, addresses and networks that images may be fetched from although they are not public.',
  }),
  urlConnectTimeout: option({
    type: duration(100, hour),
    fallback: 5 * second,
    group: 'urls',
    commands: serve,
    description: 'Longest time to look up a host and connect to it, TLS included.',
  }),
  urlFirstByteTimeout: option({
    type: duration(100, hour),
    fallback: 10 * second,
    group: 'urls',
    commands: serve,
    description: "Longest time from the request to the end of the answer's header.",
  }),
  urlTimeout: option({
    type: duration(100, hour),
    fallback: 30 * second,
    group: 'urls',
    commands: serve,
    description:
      'Longest time for one file, redirects included. Waiting for its turn does not count.',
  }),
  urlMaxRedirects: option({
    type: integer(0, 10),
    fallback: 3,
    group: 'urls',
    commands: serve,
    description: 'Most redirects to follow. Each new address is checked like the first.',
  }),
  urlConcurrency: option({
    type: integer(1, 1024),
    fallback: 16,
    group: 'urls',
    commands: serve,
    description: 'Most files fetched at a time. A file counts until it is decoded.',
  }),
  maxMessageBytes: option({
    type: bytes(KiB, GiB),
    fallback: 100 * MiB,
    group: 'limits',
    commands: serve,
    description: 'Most bytes of one request or reply, unpacked. Phantoscope has the same limit.',
  }),
  requestTimeout: option({
    type: duration(100, 24 * hour),
    fallback: 5 * minute,
    group: 'limits',
    commands: serve,
    description: "Longest time for one call, also if the client's deadline is later.",
  }),
  stallTimeout: option({
    type: duration(100, hour),
    fallback: 30 * second,
    group: 'limits',
    commands: serve,
    description: 'Longest time until the next 16 KiB of a request, or its end, have been received.',
  }),
  drainTimeout: option({
    type: duration(0, hour),
    fallback: 30 * second,
    group: 'limits',
    commands: serve,
    description:
      'How long running calls may go on when the operator is told to end (SIGTERM, SIGINT).',
  }),
  maxConnections: option({
    type: integer(1, 1_000_000),
    fallback: 1024,
    group: 'limits',
    commands: serve,
    description:
      'Most connections at once. A further one gets the place of one without a call, or is closed.',
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
      'Most calls of Execute at once on all connections, and as many other requests. Further ones are refused.',
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
    description: 'Longest time until a new connection has sent the header of its first request.',
  }),
  idleTimeout: option({
    type: duration(second, 24 * hour),
    fallback: 5 * minute,
    group: 'limits',
    commands: serve,
    description: 'A connection without calls is closed after this time.',
  }),
};
