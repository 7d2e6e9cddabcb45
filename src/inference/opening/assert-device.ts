import { ConfigError } from '../../errors.ts';
import type { Precision } from '../../model/manifest.ts';
import { assertWasmSimd } from '../wasm-simd.ts';

export interface DeviceOptions {
  readonly device: 'auto' | 'webgpu' | 'wasm';
  readonly precision: Precision;
}

/** @throws ConfigError when the device cannot run the precision, or this machine no network at all */
export function assertDevice({ device, precision }: DeviceOptions): void {
  assertWasmSimd();
  if (device === 'webgpu' && precision === 'int8')
    throw new ConfigError('--precision int8 runs on the CPU only: leave --device webgpu away');
}
