/** Remembers which device was faster, so that the next start need not measure. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Calibration } from './calibrate.ts';

const calibrationSchema: v.GenericSchema<Calibration> = v.object({
  take: v.picklist(['gpu', 'cpu']),
  agree: v.boolean(),
  gpuMs: v.number(),
  cpuMs: v.number(),
  cosine: v.number(),
});
const fileSchema = v.record(v.string(), v.unknown());

export interface CalibrationCache {
  find(key: string): Calibration | undefined;
  /** Where that cannot be done it does nothing. Of two operators that write at once one is kept, the other measures again. */
  keep(key: string, calibration: Calibration): void;
}

/** @param folder - undefined keeps nothing; nor does one that cannot be written, as is usual in containers */
export function createCalibrationCache(folder: string | undefined): CalibrationCache {
  const path = folder === undefined ? undefined : join(folder, 'calibration.json');
  const read = (): Record<string, unknown> => {
    try {
      return path ? v.parse(fileSchema, JSON.parse(readFileSync(path, 'utf8'))) : {};
    } catch {
      return {};
    }
  };
  return {
    find(key) {
      const kept = v.safeParse(calibrationSchema, read()[key]);
      return kept.success ? kept.output : undefined;
    },
    keep(key, calibration) {
      if (!path || !folder) return;
      // Not the process's number: in containers that share the folder all of them have the same.
      const temporary = `${path}.${randomUUID()}`;
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(temporary, JSON.stringify({ ...read(), [key]: calibration }));
        renameSync(temporary, path);
      } catch {
        // Measured again at the next start.
        remove(temporary);
      }
    },
  };
}

/** What made writing impossible may do the same to removing. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It was never there, or nobody can help it.
  }
}
