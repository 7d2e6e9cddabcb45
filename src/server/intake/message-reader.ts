/** What the readers of both formats have in common: a message goes in piece by piece, the texts in it come out. */
import { freePiece } from '../../free-buffer.ts';
import type { Chunks } from './message-chunks.ts';

export interface MessageReader {
  /** @throws OperatorError REQUEST_MALFORMED, MESSAGE_TOO_LARGE, and whatever the sink throws */
  push(chunk: Uint8Array): void;
  /** The message ends here. @throws OperatorError REQUEST_MALFORMED when it must not */
  end(): void;
  /** The message without its texts, once it has ended: what Connect is to read. */
  readonly rest: Uint8Array;
}

export type Field = 'urls' | 'datas';

/** What a reader of one of the formats does with the texts that it comes across, one after the other. */
export interface TextSink {
  /** @param length - in bytes, where the format says it beforehand */
  begin(field: Field, length?: number): void;
  write(bytes: Uint8Array): void;
  end(): void;
}

/** Reads all of a message, and gives the memory of each piece back. @returns the message without its texts */
export async function readMessage(chunks: Chunks, reader: MessageReader): Promise<Uint8Array> {
  for await (const chunk of chunks) {
    reader.push(chunk);
    freePiece(chunk);
  }
  reader.end();
  return reader.rest;
}
