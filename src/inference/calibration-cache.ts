/** Remembers which device was faster, so that the next start need not measure. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Calibration } from './calibrate.ts';

export interface CalibrationCache {
  find(key: string): Calibration | undefined;
  keep(key: string, calibration: Calibration): void;
}

/** @param folder - undefined keeps nothing; nor does a folder that cannot be written, as on a read-only file system */
export function createCalibrationCache(folder: string | undefined): CalibrationCache {
  const path = folder === undefined ? undefined : join(folder, 'calibration.json');
  const read = (): Record<string, Calibration> => {
    try {
      return path ? JSON.parse(readFileSync(path, 'utf8')) : {};
    } catch {
      return {};
    }
  };
  return {
    find: (key) => read()[key],
    keep(key, calibration) {
      if (!path || !folder) return;
      try {
        mkdirSync(folder, { recursive: true });
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify({ ...read(), [key]: calibration }));
        renameSync(temporary, path);
      } catch {
        // Measured again at the next start.
      }
    },
  };
}
