/** Appends the payload that `src/model/payload.ts` reads: the model's files, starting on page boundaries, and an index. */
import { appendFileSync, closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import type { Precision } from '../src/model/manifest.ts';
import { payloadAlignment, payloadTail } from '../src/model/payload.ts';
import type { EmbeddedModel } from './embedded-model.ts';

export function appendModel(executable: string, model: EmbeddedModel): void {
  const variants: Partial<Record<Precision, { offset: number; length: number }>> = {};
  for (const [precision, file] of Object.entries(model.files)) {
    const end = statSync(executable).size;
    const offset = Math.ceil(end / payloadAlignment) * payloadAlignment;
    appendFileSync(executable, new Uint8Array(offset - end));
    appendFile(executable, file);
    variants[precision as Precision] = { offset, length: statSync(file).size };
  }
  appendFileSync(executable, payloadTail({ manifest: model.manifest, variants }));
}

function appendFile(target: string, source: string): void {
  const from = openSync(source, 'r');
  const to = openSync(target, 'a');
  const chunk = new Uint8Array(4 << 20);
  try {
    for (let n = readSync(from, chunk); n > 0; n = readSync(from, chunk))
      writeSync(to, chunk, 0, n);
  } finally {
    closeSync(from);
    closeSync(to);
  }
}
