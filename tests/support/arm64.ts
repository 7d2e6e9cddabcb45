/** Programs for arm64 under an emulator. */
import { existsSync } from 'node:fs';

const emulator = Bun.which('qemu-aarch64-static');
/** Of Debian's libc6-arm64-cross. */
const libraries = '/usr/aarch64-linux-gnu';

/** Why there is no emulator; undefined where there is one. */
export const missingEmulator: string | undefined = !emulator
  ? 'qemu-aarch64-static is not installed'
  : existsSync(libraries)
    ? undefined
    : `${libraries} is not there`;

/** What is put before a program and its arguments. */
export const emulated: readonly string[] = [emulator ?? '', '-L', libraries];
