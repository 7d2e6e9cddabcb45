/** Remembers which device was faster, so that the next start need not measure. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Calibration } from './calibrate.ts';

const calibrationSchema: v.GenericSchema<Calibration> = v.object({
  take: v.picklist(['gpu', 'cpu']),
  gpuMs: v.number(),
  cpuMs: v.number(),
  cosine: v.number(),
});
const fileSchema = v.record(v.string(), v.unknown());

export interface CalibrationCache {
  find(key: string): Calibration | undefined;
  keep(key: string, calibration: Calibration): void;
}

/** @param folder - undefined keeps nothing; nor does a folder that cannot be written, as on a read-only file system */
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
      const temporary = `${path}.${process.pid}`;
      try {
        mkdirSync(folder, { recursive: true });
        writeFileSync(temporary, JSON.stringify({ ...read(), [key]: calibration }));
        renameSync(temporary, path);
      } catch {
        // Measured again at the next start.
        rmSync(temporary, { force: true });
      }
    },
  };
}
