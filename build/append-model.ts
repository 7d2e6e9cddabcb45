/** Appends the payload that `src/model/payload.ts` reads: the model's files, starting on page boundaries, and an index. */
import { createHash } from 'node:crypto';
import { appendFileSync, closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { ModelError } from '../model/errors.ts';
import type { Precision } from '../src/model/manifest.ts';
import { payloadAlignment, payloadTail } from '../src/model/payload.ts';
import type { EmbeddedModel } from './embedded-model.ts';

/** @throws ModelError when a file is no longer the one that the manifest describes */
export function appendModel(executable: string, model: EmbeddedModel): void {
  const variants: Partial<Record<Precision, { offset: number; length: number }>> = {};
  for (const [name, file] of Object.entries(model.files)) {
    const precision = name as Precision;
    const end = statSync(executable).size;
    const offset = Math.ceil(end / payloadAlignment) * payloadAlignment;
    appendFileSync(executable, new Uint8Array(offset - end));
    const sha256 = appendFile(executable, file);
    // Building takes a while, for several targets minutes, and nobody looks at the checksum of what is inside again.
    if (sha256 !== model.manifest.variants[precision]?.sha256)
      throw new ModelError(
        `${file} has changed while it was built in, as by another npm start or build with other weights: run this again when that one is done`,
      );
    variants[precision] = { offset, length: statSync(executable).size - offset };
  }
  appendFileSync(executable, payloadTail({ manifest: model.manifest, variants }));
}

/** @returns SHA-256 of what was appended, hexadecimal */
function appendFile(target: string, source: string): string {
  const hash = createHash('sha256');
  const from = openSync(source, 'r');
  const to = openSync(target, 'a');
  const chunk = new Uint8Array(4 << 20);
  try {
    for (let n = readSync(from, chunk); n > 0; n = readSync(from, chunk)) {
      hash.update(chunk.subarray(0, n));
      for (let done = 0; done < n; ) done += writeSync(to, chunk, done, n - done);
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
  return hash.digest('hex');
}
