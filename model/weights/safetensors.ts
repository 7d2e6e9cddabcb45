/**
 * Reads safetensors (https://github.com/huggingface/safetensors#format): a header length of 8 bytes, a JSON header that
 * gives each tensor's type, shape and place, then the tensors' bytes without holes. Everything in the header is checked
 * before anything is used.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import * as v from 'valibot';
import { ModelError } from '../errors.ts';

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const tensorSchema = v.strictObject({
  dtype: v.string(),
  shape: v.array(size),
  data_offsets: v.tuple([size, size]),
});
const headerSchema = v.record(v.string(), tensorSchema);
type TensorEntry = v.InferOutput<typeof tensorSchema>;

/** The reference implementation's limit. */
const maxHeaderBytes = 100_000_000;

const bytesPerElement: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, U16: 2, I16: 2, F16: 2, BF16: 2 },
  ...{ U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8 },
};

export interface SafetensorsFile {
  readonly path: string;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /**
   * Reads a float32 tensor.
   * @throws ModelError when it is missing, of another shape or of another type
   */
  read(name: string, shape: readonly number[]): Float32Array;
  close(): void;
}

/** @throws ModelError when the file is short, damaged or of another format */
export function openSafetensors(path: string): SafetensorsFile {
  const fd = openSync(path, 'r');
  try {
    const { tensors, dataStart } = readHeader(fd, path);
    return {
      path,
      shapes: new Map([...tensors].map(([name, { shape }]) => [name, shape])),
      read: (name, shape) => {
        const entry = tensors.get(name);
        if (!entry) throw new ModelError(`${path}: tensor ${name} is missing`);
        if (entry.shape.join() !== shape.join())
          throw new ModelError(
            `${path}: tensor ${name} has shape [${entry.shape.join(', ')}], not [${shape.join(', ')}]`,
          );
        if (entry.dtype !== 'F32')
          throw new ModelError(`${path}: tensor ${name} is ${entry.dtype}, not F32`);
        const [begin, end] = entry.data_offsets;
        return new Float32Array(readBytes(fd, path, dataStart + begin, end - begin).buffer);
      },
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

interface Header {
  tensors: Map<string, TensorEntry>;
  /** Where in the file the tensors' bytes begin. */
  dataStart: number;
}

function readHeader(fd: number, path: string): Header {
  const fileBytes = fstatSync(fd).size;
  const damaged = (why: string) => new ModelError(`${path}: not a sound safetensors file: ${why}`);
  if (fileBytes < 8) throw damaged(`${fileBytes} bytes are too few`);
  const first = readBytes(fd, path, 0, 8);
  const announced = new DataView(first.buffer).getBigUint64(0, true);
  if (announced > maxHeaderBytes || announced > fileBytes - 8)
    throw damaged(`a header of ${announced} bytes in a file of ${fileBytes}`);
  const headerBytes = Number(announced);
  const header = ((): unknown => {
    try {
      const text = new TextDecoder('utf-8', { fatal: true });
      return JSON.parse(text.decode(readBytes(fd, path, 8, headerBytes)));
    } catch (error) {
      throw damaged(`its header is not JSON: ${error instanceof Error ? error.message : error}`);
    }
  })();
  if (typeof header !== 'object' || header === null) throw damaged('its header is no object');
  const { __metadata__, ...entries } = header as Record<string, unknown>;
  const parsed = v.safeParse(headerSchema, entries);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw damaged(`tensor ${v.getDotPath(issue)}: ${issue.message}`);
  }
  const tensors = new Map(Object.entries(parsed.output));
  const dataStart = 8 + headerBytes;
  const problem = findLayoutProblem(tensors, fileBytes - dataStart);
  if (problem) throw damaged(problem);
  return { tensors, dataStart };
}

/** The format wants the tensors to fill the rest of the file without holes and without sharing bytes. */
function findLayoutProblem(
  tensors: ReadonlyMap<string, TensorEntry>,
  dataBytes: number,
): string | undefined {
  let reached = 0;
  const inOrder = [...tensors].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  for (const [name, { dtype, shape, data_offsets }] of inOrder) {
    const [begin, end] = data_offsets;
    const width = bytesPerElement[dtype];
    if (width === undefined) return `tensor ${name} has the unknown type ${dtype}`;
    const bytes = shape.reduce((product, dim) => product * dim, width);
    if (end - begin !== bytes)
      return `tensor ${name} needs ${bytes} bytes and has ${end - begin} (${begin} to ${end})`;
    if (begin !== reached) return `tensor ${name} begins at byte ${begin}, not at ${reached}`;
    reached = end;
  }
  if (reached !== dataBytes) return `tensors of ${reached} bytes, but ${dataBytes} bytes are there`;
  return undefined;
}

function readBytes(
  fd: number,
  path: string,
  position: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const n = readSync(fd, bytes, done, length - done, position + done);
    if (n === 0) throw new ModelError(`${path}: the file ends at byte ${position + done}`);
    done += n;
  }
  return bytes;
}
