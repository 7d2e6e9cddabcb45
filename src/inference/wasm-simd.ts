import { ConfigError } from '../errors.ts';

/** `(module (func (result v128) (i8x16.splat (i32.const 0))))` */
const splat = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
    [0x03, 0x02, 0x01, 0x00],
    [0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b],
  ].flat(),
);

/**
 * Every engine needs WebAssembly's SIMD, for which the runtime needs AVX on x64.
 * @throws ConfigError where it is missing
 */
export function assertWasmSimd(): void {
  if (WebAssembly.validate(splat)) return;
  throw new ConfigError(
    'this CPU is too old: it lacks AVX, which the network cannot be run without (Intel has it since 2011, AMD too; virtual machines may hide it)',
  );
}
