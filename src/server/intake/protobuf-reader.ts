/**
 * Reads an ExecuteRequest in protobuf's binary format while it arrives (https://protobuf.dev/programming-guides/encoding/).
 * protobuf-es would have the message in memory twice before it looked at it, and keep the network's thread from everything
 * else for a tenth of a second with one of 60 MB.
 */
import { malformed, tooLarge } from '../errors/request-errors.ts';
import type { Field, MessageReader, TextSink } from './message-reader.ts';

/** By their numbers in operator.proto. */
const fields: Readonly<Record<number, Field>> = { 1: 'urls', 2: 'datas' };

/** Fields that are not ours are passed over, but not without end. */
const maxUnknownFields = 10_000;

const maxGroupDepth = 100;

type State =
  | { readonly at: 'tag' | 'length' | 'varint' }
  | { readonly at: 'text' | 'skip'; left: number };

/** @param maxBytes - of the message, and so of every field */
export function createProtobufReader(sink: TextSink, maxBytes: number): MessageReader {
  let state: State = { at: 'tag' };
  let field: Field | undefined;
  /** Groups within each other that we are in. */
  let depth = 0;
  let unknown = 0;
  let varint = 0;
  let varintBytes = 0;

  /** One more byte of a number; true when it was the last. */
  function takeVarint(byte: number): boolean {
    varintBytes += 1;
    if (varintBytes > 10) throw malformed('a number of more than 10 bytes');
    // A product, not a shift: shifts are signed and end at 32 bits. What is beyond 2^53 is too large for anything we read.
    varint += (byte & 0x7f) * 2 ** (7 * (varintBytes - 1));
    return byte < 0x80;
  }

  function next(to: State): void {
    state = to;
    varint = 0;
    varintBytes = 0;
  }

  function onTag(): void {
    const number = Math.floor(varint / 8);
    const wireType = varint % 8;
    if (number < 1 || varint >= 2 ** 32) throw malformed(`illegal tag ${varint}`);
    field = depth === 0 && wireType === 2 ? fields[number] : undefined;
    if (!field && ++unknown > maxUnknownFields) throw malformed('too many unknown fields');
    if (wireType === 0) next({ at: 'varint' });
    else if (wireType === 1) next({ at: 'skip', left: 8 });
    else if (wireType === 2) next({ at: 'length' });
    else if (wireType === 5) next({ at: 'skip', left: 4 });
    else onGroup(wireType);
  }

  function onGroup(wireType: number): void {
    if (wireType === 3) depth += 1;
    else if (wireType === 4) depth -= 1;
    else throw malformed(`wire type ${wireType} does not exist`);
    if (depth < 0 || depth > maxGroupDepth) throw malformed('groups are nested wrongly');
    next({ at: 'tag' });
  }

  function onLength(): void {
    const length = varint;
    if (length > maxBytes) throw tooLarge(maxBytes);
    if (field) sink.begin(field, length);
    if (field && length === 0) sink.end();
    next(length === 0 ? { at: 'tag' } : { at: field ? 'text' : 'skip', left: length });
  }

  function onNumber(): void {
    if (state.at === 'tag') onTag();
    else if (state.at === 'length') onLength();
    else next({ at: 'tag' });
  }

  return {
    rest: new Uint8Array(),
    push(chunk) {
      for (let at = 0; at < chunk.length; ) {
        if (state.at !== 'text' && state.at !== 'skip') {
          const byte = chunk[at++] ?? 0;
          if (takeVarint(byte)) onNumber();
          continue;
        }
        const bytes = Math.min(state.left, chunk.length - at);
        if (state.at === 'text') sink.write(chunk.subarray(at, at + bytes));
        at += bytes;
        state.left -= bytes;
        if (state.left > 0) continue;
        if (state.at === 'text') sink.end();
        next({ at: 'tag' });
      }
    },
    end() {
      if (state.at !== 'tag' || varintBytes > 0 || depth > 0) throw malformed('premature EOF');
    },
  };
}
