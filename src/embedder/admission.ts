/**
 * Whether a request may come in. It is decided here, at once, by what is known so far: its size, how many images there are,
 * and the size of each by the first bytes of its file. Nothing waits here, because whoever waited would hold memory; what is
 * let in waits for its turn later, and all of that together has been bounded by then.
 *
 * While a request arrives it keeps from the others the bytes that it has sent, and nothing else: what it announces, images in
 * two bytes and pixels in a header, costs nothing to say, and who said it and then sent no more would keep all others out.
 */
import { OperatorError, toOperatorError } from '../errors.ts';
import { leastFileBytes } from '../image/base64.ts';
import { checkDecodedBytes, checkBytes as checkFile, checkPixels } from '../image/limits.ts';
import { peekBase64Header, peekedBytes, peekHeader } from '../image/peek-header.ts';
import type { ImageLimits, OwnedBytes } from '../image/pipeline.ts';
import type { ImageHeader } from '../image/pixels.ts';

/** `Ticket.look` looks at no more bytes than this. */
export const mostLookedAt: number = peekedBytes;

/** The names are those of the options. */
export interface AdmissionLimits extends ImageLimits {
  /** Of one request. */
  readonly maxImages: number;
  /** Of all requests together. */
  readonly maxBytesInFlight: number;
  /** Images of requests that have come, and not done. */
  readonly maxQueue: number;
  readonly maxQueuePixels: number;
}

/** One request's place; whatever it is refused for is thrown, and the request then ends. */
export interface Ticket {
  /**
   * The request will have so many bytes, for which there has to be room now; they count as they come.
   * @throws OperatorError MESSAGE_TOO_LARGE when that can never be, OVERLOADED
   */
  expect(bytes: number): void;
  /**
   * So many bytes have come: of an image's text, until that is done, or of something else.
   * @throws OperatorError as `expect`; IMAGE_TOO_LARGE
   */
  hold(bytes: number, item?: number): void;
  /**
   * One more image.
   * @param bytes - of its text, where they are known before they come
   * @returns its index
   * @throws OperatorError TOO_MANY_IMAGES, IMAGE_TOO_LARGE, OVERLOADED
   */
  add(bytes?: number): number;
  /** One more image that has to be fetched. @returns its index @throws OperatorError TOO_MANY_IMAGES, OVERLOADED */
  addUrl(): number;
  /**
   * The first bytes of an image are there: of its file, or of its base64 text.
   * @returns whether they told its size; if not, more of them may
   * @throws OperatorError IMAGE_TOO_LARGE, OVERLOADED
   */
  look(item: number, start: Uint8Array, holds: OwnedBytes['holds']): boolean;
  /** All has come: from now on its images, and their pixels, are among those that wait. @throws OperatorError OVERLOADED */
  enqueue(): void;
  /** The image is done, or given up. */
  done(item: number): void;
  /** The request is over. */
  close(): void;
}

export interface Admission {
  open(): Ticket;
  /** What is held now. */
  readonly held: Readonly<Held>;
}

interface Held {
  bytes: number;
  /** That were sent. */
  images: number;
  /** Images that have to be fetched, on which other people's servers may take their time: as many again. */
  urls: number;
  pixels: number;
}

interface Image {
  readonly kind: 'images' | 'urls';
  bytes: number;
  pixels: number;
  /** Among those that are held. */
  waits: boolean;
  done: boolean;
}

const overloaded = (message: string): OperatorError => new OperatorError('OVERLOADED', message);

export function createAdmission(limits: AdmissionLimits): Admission {
  const held: Held = { bytes: 0, images: 0, urls: 0, pixels: 0 };

  function open(): Ticket {
    let bytes = 0;
    /** Pixels of images that are not among the waiting ones yet. */
    let arriving = 0;
    const images: Image[] = [];
    const push = (kind: Image['kind']): number => {
      naming(images.length, () => checkCount(images.length + 1, kind));
      return images.push({ kind, bytes: 0, pixels: 0, waits: false, done: false }) - 1;
    };
    const finish = (image: Image | undefined): void => {
      if (!image || image.done) return;
      image.done = true;
      if (image.waits) {
        held[image.kind] -= 1;
        held.pixels -= image.pixels;
      }
      held.bytes -= image.bytes;
      bytes -= image.bytes;
    };
    return {
      expect: (announced) => checkBytes(bytes, announced),
      hold(came, item) {
        const image = item === undefined ? undefined : images[item];
        if (image && item !== undefined)
          naming(item, () => checkFile(leastFileBytes(image.bytes + came), limits));
        checkBytes(bytes, came);
        bytes += came;
        held.bytes += came;
        if (image) image.bytes += came;
      },
      add(known = 0) {
        naming(images.length, () => checkFile(leastFileBytes(known), limits));
        return push('images');
      },
      addUrl: () => push('urls'),
      look(item, start, holds) {
        const image = images[item];
        const header = holds === 'file' ? peekHeader(start) : peekBase64Header(start);
        if (!image || image.done || !header) return false;
        const pixels = header.width * header.height;
        naming(item, () => {
          checkHeader(header);
          checkPixelsWaiting(arriving, pixels);
        });
        image.pixels += pixels;
        if (image.waits) held.pixels += pixels;
        else arriving += pixels;
        return true;
      },
      enqueue() {
        for (const { kind } of images.slice(-1)) checkCount(images.length, kind);
        arriving = 0;
        for (const [item, image] of images.entries()) {
          if (image.waits || image.done) continue;
          naming(item, () => checkPixelsWaiting(0, image.pixels));
          image.waits = true;
          held[image.kind] += 1;
          held.pixels += image.pixels;
        }
      },
      done: (item) => finish(images[item]),
      close() {
        for (const image of images) finish(image);
        held.bytes -= bytes;
        bytes = 0;
      },
    };
  }

  function checkBytes(own: number, more: number): void {
    const most = limits.maxBytesInFlight;
    if (own + more > most)
      throw new OperatorError(
        'MESSAGE_TOO_LARGE',
        `the request has more bytes than all requests together may: ${most} (--max-bytes-in-flight)`,
      );
    if (held.bytes + more > most)
      throw overloaded(
        `requests of ${held.bytes} bytes are being answered and ${more} more are too many; at most ${most} are held at once (--max-bytes-in-flight)`,
      );
  }

  function checkCount(own: number, kind: Image['kind']): void {
    const { maxImages, maxQueue } = limits;
    if (own > maxImages)
      throw new OperatorError(
        'TOO_MANY_IMAGES',
        `more than ${maxImages} images in one call (--max-images)`,
      );
    // A request that is alone is bounded by its own limit.
    if (held[kind] > 0 && held[kind] + own > maxQueue)
      throw overloaded(
        `${held[kind]} ${kind === 'urls' ? 'URLs' : 'images'} are waiting; at most ${maxQueue} may (--max-queue)`,
      );
  }

  function checkHeader({ width, height, decodedBytes }: ImageHeader): void {
    checkPixels(width, height, limits);
    checkDecodedBytes(decodedBytes, limits);
  }

  /** @param own - pixels of the request's other images that are not among `held` */
  function checkPixelsWaiting(own: number, more: number): void {
    const others = held.pixels + own;
    // One that is alone waits for nobody.
    if (others > 0 && others + more > limits.maxQueuePixels)
      throw overloaded(
        `images of ${others} pixels are waiting; at most ${limits.maxQueuePixels} may (--max-queue-pixels)`,
      );
  }

  return { open, held };
}

/** Says which image an error is about. */
function naming(item: number, check: () => void): void {
  try {
    check();
  } catch (thrown) {
    throw toOperatorError(thrown).atItem(item);
  }
}
