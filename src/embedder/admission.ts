/**
 * Whether a request may come in. It is decided here, at once, by what is known so far: its size, how many images there are,
 * and the size of each by the first bytes of its file. Nothing waits here, because whoever waited would hold memory; what is
 * let in waits for its turn later, and all of that together has been bounded by then.
 */
import { OperatorError, toOperatorError } from '../errors.ts';
import { checkDecodedBytes, checkPixels } from '../image/limits.ts';
import type { ImageLimits } from '../image/pipeline.ts';
import type { ImageHeader } from '../image/pixels.ts';

/** The names are those of the options. */
export interface AdmissionLimits extends ImageLimits {
  /** Of one request. */
  readonly maxImages: number;
  /** Of all requests together. */
  readonly maxBytesInFlight: number;
  /** Images let in and not done, of all requests together. */
  readonly maxQueue: number;
  readonly maxQueuePixels: number;
}

/** One request's place; whatever it is refused for is thrown, and the request then ends. */
export interface Ticket {
  /**
   * So many more bytes of the request will be held, until they are done or the ticket is closed.
   * @throws OperatorError MESSAGE_TOO_LARGE when that can never be, OVERLOADED
   */
  hold(bytes: number): void;
  /**
   * One more image.
   * @param size - how many of the held bytes are the image's, and how many it has at least as a file; 0 when it is to be fetched
   * @returns its index
   * @throws OperatorError TOO_MANY_IMAGES, IMAGE_TOO_LARGE, OVERLOADED
   */
  add(size: { readonly bytes: number; readonly file: number }): number;
  /**
   * The image's header has been read.
   * @throws OperatorError IMAGE_TOO_LARGE, OVERLOADED
   */
  measure(item: number, header: ImageHeader): void;
  /** The image is done, or given up: what it held is free. */
  done(item: number): void;
  /** The request is over. */
  close(): void;
}

export interface Admission {
  open(): Ticket;
  /** What is held now. */
  readonly held: { readonly bytes: number; readonly images: number; readonly pixels: number };
}

interface Image {
  bytes: number;
  pixels: number;
  done: boolean;
}

const overloaded = (message: string): OperatorError => new OperatorError('OVERLOADED', message);

export function createAdmission(limits: AdmissionLimits): Admission {
  const held = { bytes: 0, images: 0, pixels: 0 };

  function open(): Ticket {
    let bytes = 0;
    const images: Image[] = [];
    const finish = (image: Image | undefined): void => {
      if (!image || image.done) return;
      image.done = true;
      held.images -= 1;
      held.pixels -= image.pixels;
      held.bytes -= image.bytes;
      bytes -= image.bytes;
    };
    return {
      hold(more) {
        checkBytes(bytes, more);
        bytes += more;
        held.bytes += more;
      },
      add(size) {
        checkCount(images.length + 1);
        const item = images.length;
        if (size.file > limits.maxImageBytes) throw tooManyBytes(size.file).atItem(item);
        images.push({ bytes: size.bytes, pixels: 0, done: false });
        held.images += 1;
        return item;
      },
      measure(item, header) {
        const image = images[item];
        if (!image || image.done) return;
        const pixels = header.width * header.height;
        naming(item, () => checkHeader(header));
        image.pixels += pixels;
        held.pixels += pixels;
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

  function checkCount(own: number): void {
    const { maxImages, maxQueue } = limits;
    if (own > maxImages)
      throw new OperatorError(
        'TOO_MANY_IMAGES',
        `more than ${maxImages} images in one call (--max-images)`,
      );
    // A request that is alone is bounded by its own limit.
    if (held.images >= own && held.images + 1 > maxQueue)
      throw overloaded(`${held.images} images are waiting; at most ${maxQueue} may (--max-queue)`);
  }

  const tooManyBytes = (file: number): OperatorError =>
    new OperatorError(
      'IMAGE_TOO_LARGE',
      `the image has ${file} bytes or more; at most ${limits.maxImageBytes} are allowed (--max-image-bytes)`,
    );

  function checkHeader({ width, height, decodedBytes }: ImageHeader): void {
    checkPixels(width, height, limits);
    checkDecodedBytes(decodedBytes, limits);
    // One that is alone waits for nobody.
    if (held.pixels > 0 && held.pixels + width * height > limits.maxQueuePixels)
      throw overloaded(
        `images of ${held.pixels} pixels are waiting; at most ${limits.maxQueuePixels} may (--max-queue-pixels)`,
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
