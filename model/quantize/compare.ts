/** How far quantised embeddings are from those of the fp32 model. */
import type { ModelProto } from '../../src/gen/onnx/onnx_pb.ts';
import { cosine } from '../../src/inference/cosine.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { ModelError } from '../errors.ts';
import { openRunner } from './onnx-runner.ts';

/** Runs a model over images on onnxruntime-web. */
export async function embed(
  model: ModelProto,
  { graph, dimension }: Manifest,
  images: readonly Float32Array[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const runner = await openRunner(model, { ...graph, values: dimension });
  try {
    const rows: Float32Array[] = [];
    for (const image of images) {
      signal.throwIfAborted();
      rows.push(await runner.run(image));
    }
    return rows;
  } finally {
    await runner.release();
  }
}

export interface Drift {
  readonly meanCosine: number;
  readonly minCosine: number;
}

/** @throws ModelError when a vector has no direction: it is zero, or not of numbers */
export function measureDrift(
  reference: readonly Float32Array[],
  rows: readonly Float32Array[],
): Drift {
  const cosines = reference.map((row, i) => {
    requireDirection(row, `the vector of the fp32 model for picture ${i + 1}`);
    requireDirection(rows[i]!, `the vector of the new variant for picture ${i + 1}`);
    return cosine(row, rows[i]!);
  });
  return {
    meanCosine: cosines.reduce((sum, value) => sum + value, 0) / cosines.length,
    minCosine: Math.min(...cosines),
  };
}

function requireDirection(row: Float32Array, which: string): void {
  const problem = row.every((value) => value === 0)
    ? 'is zero throughout'
    : row.every(Number.isFinite)
      ? undefined
      : 'has values that are no numbers or beyond them';
  if (problem)
    throw new ModelError(
      `${which} ${problem}: it cannot be compared, and the model is of no use with such pictures`,
    );
}
