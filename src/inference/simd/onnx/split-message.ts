import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { Unsupported } from '../unsupported.ts';
import type { SliceReader } from './slice-reader.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface SplitMessage {
  /** The message without the field set apart: what its schema decodes. */
  readonly rest: Uint8Array<ArrayBuffer>;
  /** Where the values of the field set apart lie in the file, in order. */
  readonly apart: readonly Range[];
}

/** Longest tag and length prefix, or tag and varint. */
const headerBytes = 5 + 10;

/**
 * Splits a protobuf message in the file into one length-delimited field, of which only the places are noted, and the
 * rest, which is read. So the structure of an ONNX file comes into memory and its weights do not.
 * @param limit - most bytes of the rest
 */
export function splitMessage(
  reader: SliceReader,
  { start, end }: Range,
  field: number,
  limit: number,
): SplitMessage {
  const kept: Range[] = [];
  const apart: Range[] = [];
  for (let position = start; position < end; ) {
    const { number, valueStart, valueEnd } = nextField(reader, position);
    if (valueEnd > end) throw new Unsupported('the ONNX file is damaged or cut off');
    if (number === field) apart.push({ start: valueStart, end: valueEnd });
    else kept.push({ start: position, end: valueEnd });
    position = valueEnd;
  }
  const size = kept.reduce((sum, range) => sum + range.end - range.start, 0);
  if (size > limit) throw new Unsupported(`the ONNX file holds ${size} bytes outside raw_data`);
  const rest = new Uint8Array(size);
  let filled = 0;
  for (const range of merged(kept)) {
    rest.set(reader.read(range.start, range.end - range.start), filled);
    filled += range.end - range.start;
  }
  return { rest, apart };
}

interface Field {
  readonly number: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

function nextField(reader: SliceReader, position: number): Field {
  const header = new BinaryReader(reader.peek(position, headerBytes));
  try {
    const [number, wireType] = header.tag();
    if (wireType === WireType.LengthDelimited) {
      const length = header.uint32();
      const valueStart = position + header.pos;
      return { number, valueStart, valueEnd: valueStart + length };
    }
    const valueStart = position + header.pos;
    header.skip(wireType, number);
    return { number, valueStart, valueEnd: position + header.pos };
  } catch (error) {
    throw new Unsupported(`not an ONNX file (${(error as Error).message})`);
  }
}

/** Neighbouring ranges as one, for fewer reads. */
function merged(ranges: readonly Range[]): Range[] {
  const out: Range[] = [];
  for (const range of ranges) {
    const last = out.at(-1);
    if (last?.end === range.start) out[out.length - 1] = { start: last.start, end: range.end };
    else out.push(range);
  }
  return out;
}
