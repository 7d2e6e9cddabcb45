/** Integer vector instructions, as functions of operands; the names are those of the instructions. */
import { type Operand, value, type Wat } from '../wat.ts';

const unary =
  (op: string) =>
  (a: Operand): Wat =>
    `(${op} ${value(a)})`;
const binary =
  (op: string) =>
  (a: Operand, b: Operand): Wat =>
    `(${op} ${value(a)} ${value(b)})`;
const load =
  (op: string) =>
  (address: Operand, offset = 0): Wat =>
    `(${op} offset=${offset} ${value(address)})`;

export const i8x16 = {
  splat: unary('i8x16.splat'),
  maxS: binary('i8x16.max_s'),
  minS: binary('i8x16.min_s'),
  /** Saturates. */
  narrow: binary('i8x16.narrow_i16x8_s'),
};

export const i16x8 = {
  splat: unary('i16x8.splat'),
  add: binary('i16x8.add'),
  sub: binary('i16x8.sub'),
  shl: binary('i16x8.shl'),
  gtS: binary('i16x8.gt_s'),
  ltS: binary('i16x8.lt_s'),
  extendLowS: unary('i16x8.extend_low_i8x16_s'),
  extendHighS: unary('i16x8.extend_high_i8x16_s'),
  extendLowU: unary('i16x8.extend_low_i8x16_u'),
  addPairs: unary('i16x8.extadd_pairwise_i8x16_s'),
  /** Saturates. */
  narrow: binary('i16x8.narrow_i32x4_s'),
  /**
   * Of each two neighbours, `a₀b₀ + a₁b₁`, with a in -128..127 and b in 0..127. "Relaxed" is what b from 128 would do, and
   * sums beyond 16 bits, which these operands cannot reach: 127 · 128 · 2 < 2¹⁵.
   */
  dot8: binary('i16x8.relaxed_dot_i8x16_i7x16_s'),
};

export const i32x4 = {
  splat: unary('i32x4.splat'),
  add: binary('i32x4.add'),
  sub: binary('i32x4.sub'),
  maxS: binary('i32x4.max_s'),
  abs: unary('i32x4.abs'),
  and: binary('v128.and'),
  or: binary('v128.or'),
  shl: binary('i32x4.shl'),
  extendLowS: unary('i32x4.extend_low_i16x8_s'),
  extendHighS: unary('i32x4.extend_high_i16x8_s'),
  /** Of each two neighbouring 16-bit numbers, `a₀b₀ + a₁b₁`. */
  dot16: binary('i32x4.dot_i16x8_s'),
  /** Lane `lane` of `vector` replaced by a 32-bit number. */
  replace: (lane: number, vector: Operand, a: Operand): Wat =>
    `(i32x4.replace_lane ${lane} ${value(vector)} ${value(a)})`,
  toFloat: unary('f32x4.convert_i32x4_s'),
};

export const bytes = {
  /** A byte as a 32-bit number. */
  load: load('i32.load8_s'),
  store: (address: Operand, operand: Operand, offset = 0): Wat =>
    `(i32.store8 offset=${offset} ${value(address)} ${value(operand)})`,
  /** `count` bytes from one place to another: 2 or 4. */
  copy: (count: 2 | 4, to: Operand, from: Operand, toOffset: number, fromOffset: number): Wat => {
    const [load, store] = count === 4 ? ['i32.load', 'i32.store'] : ['i32.load16_u', 'i32.store16'];
    return `(${store} offset=${toOffset} ${value(to)} (${load} offset=${fromOffset} ${value(from)}))`;
  },
  /** Two bytes, eight times. */
  load2Splat: (address: Operand): Wat => `(v128.load16_splat ${value(address)})`,
  /** Four bytes in the lowest lanes, zeros above. */
  load4: load('v128.load32_zero'),
  store4: (address: Operand, operand: Operand, offset = 0): Wat =>
    `(v128.store32_lane offset=${offset} 0 ${value(address)} ${value(operand)})`,
  /** Eight bytes as 16-bit numbers. */
  load8S: load('v128.load8x8_s'),
  load8U: load('v128.load8x8_u'),
};

export const anyTrue = unary('v128.any_true');
export const divide = binary('f32x4.div');
