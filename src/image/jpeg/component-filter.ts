/**
 * Takes components out of a JPEG without decoding it. Each component has its own DC prediction, so the codes of the others
 * stay valid when its own are left out: only their bits move. The result is marked as RGB, which decoders pass through.
 */
import { OperatorError } from '../../errors.ts';
import {
  type BitReader,
  type BitWriter,
  buildHuffmanTable,
  createBitReader,
  createBitWriter,
  type HuffmanTable,
} from './entropy-bits.ts';
import { endOfScan } from './scans.ts';

interface Component {
  readonly id: number;
  readonly blocksPerMcu: number;
  readonly kept: boolean;
}

interface Frame {
  readonly progressive: boolean;
  readonly components: readonly Component[];
  readonly mcus: number;
  /** The body of a frame header for what is kept. */
  readonly header: Uint8Array;
}

interface Scan {
  readonly parts: readonly { component: Component; dc: number; ac: number }[];
  /** A progressive DC scan that adds one bit to every block. */
  readonly refines: boolean;
  readonly progressive: boolean;
  readonly mcus: number;
}

/**
 * By class and slot, as DHT has them in one byte. A table is built when a scan uses it: a file can define millions, and each
 * has 65,536 entries.
 */
type Tables = Map<number, StoredTable>;
interface StoredTable {
  readonly body: Uint8Array;
  readonly at: number;
  built: HuffmanTable | undefined;
}

const corrupt = (message: string): OperatorError => new OperatorError('IMAGE_CORRUPT', message);

const unsupportedSampling = (): OperatorError =>
  new OperatorError(
    'IMAGE_UNSUPPORTED',
    'this form of JPEG is not supported: its components are sampled too differently',
  );

/** Adobe's APP14 with transform 0: three components are RGB, not YCbCr. */
const rgbMarker = new Uint8Array([
  0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0,
]);

/**
 * @param jpeg - a file whose header `readJpegHeader` accepts
 * @param keep - which components to keep, by their position in the frame header
 * @throws OperatorError IMAGE_TRUNCATED, IMAGE_CORRUPT, IMAGE_UNSUPPORTED
 */
export function keepComponents(jpeg: Uint8Array, keep: readonly number[]): Uint8Array {
  const out = createBitWriter(jpeg.length);
  out.bytes(jpeg.subarray(0, 2));
  out.bytes(rgbMarker);
  const tables: Tables = new Map();
  let frame: Frame | undefined;
  let restartInterval = 0;
  let offset = 2;
  for (;;) {
    const start = jpeg.indexOf(0xff, offset);
    const marker = start < 0 ? undefined : jpeg[start + 1];
    if (marker === undefined)
      throw new OperatorError('IMAGE_TRUNCATED', 'the JPEG has no end-of-image marker');
    offset = start + 1;
    if (marker === 0xff) continue;
    offset += 1;
    if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker === 0xd9) break;
    const length = ((jpeg[offset] ?? 0) << 8) | (jpeg[offset + 1] ?? 0);
    const body = jpeg.subarray(offset + 2, offset + length);
    if (length < 2 || body.length !== length - 2)
      throw new OperatorError('IMAGE_TRUNCATED', 'the JPEG ends within its header');
    offset += length;

    if (marker === 0xc4) readTables(body, tables);
    if (marker === 0xdd) restartInterval = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
    if (marker === 0xc4 || marker === 0xdb || marker === 0xdd)
      out.bytes(jpeg.subarray(start, offset));
    else if (marker >= 0xc0 && marker <= 0xc2) {
      frame = readFrame(body, keep, marker === 0xc2);
      out.bytes(new Uint8Array([0xff, marker, 0, 2 + frame.header.length]));
      out.bytes(frame.header);
    } else if (marker === 0xda) {
      if (!frame) throw corrupt('a JPEG scan comes before the frame header');
      const end = endOfScan(jpeg, offset);
      const scan = readScan(body, frame);
      const kept = scan.parts.filter(({ component }) => component.kept);
      if (kept.length > 0) {
        out.bytes(scanHeader(body, scan, kept.length));
        if (kept.length === scan.parts.length) out.bytes(jpeg.subarray(offset, end));
        else copyScan(createBitReader(jpeg, offset), out, scan, tables, restartInterval);
      }
      offset = end;
    }
  }
  out.bytes(new Uint8Array([0xff, 0xd9]));
  return out.finish();
}

function readTables(body: Uint8Array, tables: Tables): void {
  for (let at = 0; at < body.length; ) {
    tables.set(body[at] ?? 0, { body, at, built: undefined });
    let total = 0;
    for (let i = 1; i <= 16; i++) total += body[at + i] ?? 0;
    at += 17 + total;
  }
}

function tableOf(tables: Tables, slot: number): HuffmanTable | undefined {
  const table = tables.get(slot);
  if (!table) return undefined;
  const start = table.at + 1;
  table.built ??= buildHuffmanTable(
    table.body.subarray(start, start + 16),
    table.body.subarray(start + 16, start + 16 + 256),
  );
  return table.built;
}

function readFrame(body: Uint8Array, keep: readonly number[], progressive: boolean): Frame {
  const height = ((body[1] ?? 0) << 8) | (body[2] ?? 0);
  const width = ((body[3] ?? 0) << 8) | (body[4] ?? 0);
  const factors = Array.from({ length: body[5] ?? 0 }, (_, i) => body[7 + 3 * i] ?? 0x11);
  const horizontal = Math.max(...factors.map((factor) => factor >> 4));
  const vertical = Math.max(...factors.map((factor) => factor & 15));
  const kept = keep.map((i) => factors[i] ?? 0);
  const keptVertical = Math.max(...kept.map((factor) => factor & 15));
  // Components left out must not change the size of an MCU, which the order of the blocks hangs on; or only halve its height,
  // and with it the picture's.
  const halves = vertical === 2 * keptVertical;
  if (
    Math.max(...kept.map((factor) => factor >> 4)) !== horizontal ||
    (keptVertical !== vertical && !halves)
  )
    throw unsupportedSampling();
  const ownHeight = halves ? Math.ceil(height / 2) : height;
  const header = [body[0] ?? 0, ownHeight >> 8, ownHeight & 255, body[3] ?? 0, body[4] ?? 0];
  header.push(keep.length === 2 ? 3 : keep.length);
  for (const i of keep) header.push(...body.subarray(6 + 3 * i, 9 + 3 * i));
  if (keep.length === 2) {
    // Decoders know nothing of two components. The third has no scan, and so is grey; it takes the name of one left out.
    const other = factors.findIndex((_, i) => !keep.includes(i));
    header.push(body[6 + 3 * other] ?? 0, 0x11, body[8 + 3 * other] ?? 0);
  }
  return {
    progressive,
    components: factors.map((factor, i) => ({
      id: body[6 + 3 * i] ?? 0,
      blocksPerMcu: (factor >> 4) * (factor & 15),
      kept: keep.includes(i),
    })),
    mcus: Math.ceil(width / (8 * horizontal)) * Math.ceil(height / (8 * vertical)),
    header: Uint8Array.from(header),
  };
}

function readScan(body: Uint8Array, frame: Frame): Scan {
  const count = body[0] ?? 0;
  const parts = Array.from({ length: count }, (_, i) => {
    const component = frame.components.find(({ id }) => id === body[1 + 2 * i]);
    if (!component) throw corrupt('a JPEG scan names a component that the frame has not');
    const slots = body[2 + 2 * i] ?? 0;
    return { component, dc: slots >> 4, ac: 0x10 | (slots & 15) };
  });
  const refines = frame.progressive && (body[3 + 2 * count] ?? 0) >> 4 > 0;
  return { parts, refines, progressive: frame.progressive, mcus: frame.mcus };
}

function scanHeader(body: Uint8Array, scan: Scan, kept: number): Uint8Array {
  const header = [0xff, 0xda, 0, 6 + 2 * kept, kept];
  for (const [i, { component }] of scan.parts.entries()) {
    if (component.kept) header.push(...body.subarray(1 + 2 * i, 3 + 2 * i));
  }
  return new Uint8Array([...header, ...body.subarray(1 + 2 * scan.parts.length)]);
}

function copyScan(
  reader: BitReader,
  out: BitWriter,
  scan: Scan,
  tables: Tables,
  restartInterval: number,
): void {
  const parts = scan.parts.map(({ component, dc, ac }) => ({
    component,
    dc: tableOf(tables, dc),
    ac: tableOf(tables, ac),
  }));
  const kept = parts.filter(({ component }) => component.kept);
  // One component alone has its blocks in rows over the image, not in MCUs: the same only if an MCU is one block.
  if (kept.length === 1 && kept[0]?.component.blocksPerMcu !== 1) throw unsupportedSampling();
  for (let mcu = 0; mcu < scan.mcus; mcu++) {
    if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
      reader.restart();
      out.align();
      out.bytes(new Uint8Array([0xff, 0xd0 | ((mcu / restartInterval - 1) & 7)]));
    }
    for (const { component, dc, ac } of parts) {
      const put = component.kept ? out.put : discard;
      for (let block = 0; block < component.blocksPerMcu; block++) {
        if (scan.refines) put(reader.take(1), 1);
        else {
          if (!dc || (!ac && !scan.progressive))
            throw corrupt('a JPEG scan uses a Huffman table that is not defined');
          copyBlock(reader, put, dc, scan.progressive ? undefined : ac);
        }
      }
    }
  }
  out.align();
}

const discard: BitWriter['put'] = () => {};

/** One block: a DC code with its bits, then AC codes with theirs up to the end of the block (T.81 F.2.2). */
function copyBlock(
  reader: BitReader,
  put: BitWriter['put'],
  dc: HuffmanTable,
  ac: HuffmanTable | undefined,
): void {
  copyCode(reader, put, dc);
  if (!ac) return;
  for (let k = 1; k < 64; k++) {
    const symbol = copyCode(reader, put, ac);
    if ((symbol & 15) === 0 && symbol !== 0xf0) return;
    k += symbol >> 4;
  }
}

/** A code and the bits that belong to it, as many as the lower half of its symbol says. */
function copyCode(reader: BitReader, put: BitWriter['put'], table: HuffmanTable): number {
  const code = reader.takeCode(table);
  const symbol = code & 0xff;
  put(code >>> 16, (code >> 8) & 0xff);
  const bits = symbol & 15;
  if (bits > 0) put(reader.take(bits), bits);
  return symbol;
}
