/**
 * The WebAssembly text format, written from TypeScript.
 *
 * Everything here returns text. An operand is a number (an i32 constant), the name of a local (its value) or an
 * expression in parentheses, so that `f32x4.add('sum', v128.load('p', 16))` reads as what it does.
 */
export type Wat = string;
export type Operand = string | number;

/** The text of an operand. */
export function value(operand: Operand): Wat {
  if (typeof operand === 'number') return `(i32.const ${operand})`;
  return operand.startsWith('(') ? operand : `(local.get $${operand})`;
}

export const set = (name: string, operand: Operand): Wat =>
  `(local.set $${name} ${value(operand)})`;
/** `name += by` */
export const advance = (name: string, by: Operand): Wat =>
  by === 0 ? '' : set(name, i32.add(name, by));

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
    `(${op}${offset ? ` offset=${offset}` : ''} ${value(address)})`;
const store =
  (op: string) =>
  (address: Operand, operand: Operand, offset = 0): Wat =>
    `(${op}${offset ? ` offset=${offset}` : ''} ${value(address)} ${value(operand)})`;

export const i32 = {
  add: binary('i32.add'),
  sub: binary('i32.sub'),
  mul: binary('i32.mul'),
  and: binary('i32.and'),
  shl: binary('i32.shl'),
  ltU: binary('i32.lt_u'),
  ltS: binary('i32.lt_s'),
  gtS: binary('i32.gt_s'),
  load: load('i32.load'),
};

export const f32 = {
  load: load('f32.load'),
  store: store('f32.store'),
};

export const v128 = {
  load: load('v128.load'),
  store: store('v128.store'),
  or: binary('v128.or'),
  /** One 32-bit value, four times. JavaScriptCore's best code needs it without an offset. */
  load32Splat: (address: Operand): Wat => `(v128.load32_splat ${value(address)})`,
  /** `vector` with 32-bit lane `lane` taken from memory. */
  load32Lane: (address: Operand, vector: Operand, lane: number, offset = 0): Wat =>
    `(v128.load32_lane offset=${offset} ${lane} ${value(address)} ${value(vector)})`,
};

export const f32x4 = {
  add: binary('f32x4.add'),
  sub: binary('f32x4.sub'),
  mul: binary('f32x4.mul'),
  /** `b < a ? b : a`-style minimum and maximum: one instruction on x86, where `f32x4.max` is several. */
  pmax: binary('f32x4.pmax'),
  /** All bits of a lane set, or none. */
  ne: binary('f32x4.ne'),
  splat: unary('f32x4.splat'),
  constant: (x: number): Wat => {
    const text = x === Number.NEGATIVE_INFINITY ? '-inf' : String(x);
    return `(v128.const f32x4 ${text} ${text} ${text} ${text})`;
  },
};

/** `condition ? a : b`, both evaluated. */
export const select = (a: Operand, b: Operand, condition: Operand): Wat =>
  `(select ${value(a)} ${value(b)} ${value(condition)})`;

/** `[0, 1, … n − 1].map(f)`, joined: code written n times. */
export const unrolled = (n: number, f: (i: number) => Wat): Wat =>
  Array.from({ length: n }, (_, i) => f(i)).join('\n');

export const lines = (...parts: Wat[]): Wat => parts.filter(Boolean).join('\n');

/** Repeats `body` while `condition` holds after it: at least once. */
export const loopWhile = (label: string, body: Wat, condition: Operand): Wat =>
  `(loop $${label}\n${body}\n(br_if $${label} ${value(condition)}))`;

/** Takes `step` from the local `counter` after each turn until nothing is left; one turn at least. */
export const countDown = (counter: string, step: number, body: Wat, label = counter): Wat =>
  loopWhile(label, lines(body, set(counter, i32.sub(counter, step))), i32.gtS(counter, 0));

export const either = (condition: Operand, body: Wat, otherwise: Wat): Wat =>
  `(if ${value(condition)} (then ${body}) (else ${otherwise}))`;

type ValueType = 'i32' | 'f32' | 'v128';
export interface FunctionText {
  readonly name: string;
  /** In order; a name alone is an i32. */
  readonly params: readonly (string | readonly [string, ValueType])[];
  readonly locals: Partial<Record<ValueType, readonly string[]>>;
  readonly body: Wat;
}

/** An exported function without a result. */
export function func({ name, params, locals, body }: FunctionText): Wat {
  const declare = (kind: 'param' | 'local', local: string, type: ValueType): Wat =>
    `(${kind} $${local} ${type})`;
  return lines(
    `(func (export "${name}")`,
    params
      .map((p) => (typeof p === 'string' ? declare('param', p, 'i32') : declare('param', ...p)))
      .join(' '),
    Object.entries(locals)
      .flatMap(([type, names]) => names.map((n) => declare('local', n, type as ValueType)))
      .join(' '),
    body,
    ')',
  );
}

/** A module of functions over the shared memory that it imports as `env.memory`. */
export const module = (functions: readonly Wat[]): Wat =>
  lines('(module', '(import "env" "memory" (memory 1 65536 shared))', ...functions, ')');
