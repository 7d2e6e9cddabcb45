import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble, folder, modules } from '../../build/kernels/assemble.ts';

for (const [file, text] of Object.entries(modules))
  test(`${file}, is what the generator makes`, () => {
    const made = Buffer.from(assemble(text));
    const committed = readFileSync(join(folder, file));
    expect(made.equals(committed), 'run: bun build/kernels/assemble.ts').toBe(true);
  });
