/** The texts of a request, each in a buffer of its own, filled as it arrives. */
import { mostLookedAt, type Ticket } from '../../embedder/admission.ts';
import { OperatorError } from '../../errors.ts';
import { freeBuffer } from '../../free-buffer.ts';
import { malformed, tooMuchBeside } from '../errors/request-errors.ts';
import type { TextSink } from './message-reader.ts';

export interface TextBuffers extends TextSink {
  /** The message will have so many bytes. */
  expect(bytes: number): void;
  readonly datas: readonly Uint8Array<ArrayBuffer>[];
  readonly urls: readonly string[];
  /** Frees the texts that nobody has taken. */
  discard(): void;
}

export interface TextBuffersOptions {
  readonly ticket: Ticket;
  /** Most URLs, also where they are not looked at; images are counted by the ticket. */
  readonly maxImages: number;
  /** Most bytes of all URLs: one of a hundred megabytes is a tenth of a second of the network's thread, and no URL. */
  readonly maxRest: number;
  /** What the message has at most, until its size is told. */
  readonly maxMessageBytes: number;
}

/**
 * When so much of a text is there, it is looked at for the header of its file; then at four times as much, and so on. Nearly
 * every header is within the first of these; a JPEG with a large thumbnail or colour profile in front needs more.
 */
const firstLook = 4 * 1024;

/** What a text without a known length begins with. */
const firstCapacity = 64 * 1024;

/**
 * It grows fourfold, and from here on to as much as the message may still have: to copy 4 MB takes longer than anybody should
 * wait for the network's thread, and what is never written to takes no memory.
 */
const lastCopied = 1024 * 1024;

interface Text {
  /** Which image; undefined for a URL. */
  readonly item: number | undefined;
  buffer: ArrayBuffer;
  length: number;
  /** The buffer is as long as the text will be. */
  readonly known: boolean;
  nextLook: number;
}

export function createTextBuffers({
  ticket,
  maxImages,
  maxRest,
  maxMessageBytes,
}: TextBuffersOptions): TextBuffers {
  const datas: Uint8Array<ArrayBuffer>[] = [];
  const urls: string[] = [];
  let urlBytes = 0;
  let current: Text | undefined;
  /** Bytes of the message that may still come. */
  let toCome = maxMessageBytes;

  function makeRoom(text: Text, bytes: number): void {
    const { byteLength } = text.buffer;
    const least = text.length + bytes;
    if (least <= byteLength) return;
    const size = least < lastCopied ? 4 * byteLength : text.length + toCome;
    text.buffer = text.buffer.transfer(Math.max(size, least));
  }

  function look(text: Text): void {
    if (text.item === undefined) return;
    const start = new Uint8Array(text.buffer, 0, Math.min(text.length, mostLookedAt));
    const done = ticket.look(text.item, start, 'base64') || text.length >= mostLookedAt;
    text.nextLook = done ? Number.POSITIVE_INFINITY : 4 * text.length;
  }

  return {
    datas,
    urls,
    expect(bytes) {
      toCome = bytes;
    },
    begin(field, length) {
      const item = field === 'datas' ? ticket.add(length) : undefined;
      // As long as it will be: what is never written to takes no memory.
      const buffer = new ArrayBuffer(length ?? firstCapacity);
      current = { item, buffer, length: 0, known: length !== undefined, nextLook: firstLook };
    },
    write(bytes) {
      if (!current) return;
      if (current.item === undefined) urlBytes += bytes.length;
      if (urlBytes > maxRest) throw tooMuchBeside(maxRest);
      ticket.hold(bytes.length, current.item);
      if (!current.known) makeRoom(current, bytes.length);
      new Uint8Array(current.buffer).set(bytes, current.length);
      current.length += bytes.length;
      toCome -= bytes.length;
      if (current.length >= current.nextLook) look(current);
    },
    end() {
      if (!current) return;
      const text = new Uint8Array(current.buffer, 0, current.length);
      if (current.item === undefined) {
        if (urls.length >= maxImages)
          throw new OperatorError('TOO_MANY_IMAGES', `more than ${maxImages} URLs (--max-images)`);
        urls.push(toUrl(text, urls.length));
      } else {
        datas.push(text);
        if (current.nextLook < Number.POSITIVE_INFINITY) look(current);
      }
      current = undefined;
    },
    discard() {
      if (current) freeBuffer(current.buffer);
      current = undefined;
      for (const { buffer } of datas) freeBuffer(buffer);
    },
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toUrl(text: Uint8Array, item: number): string {
  try {
    return utf8.decode(text);
  } catch {
    throw malformed(`urls[${item}] is not UTF-8`);
  }
}
