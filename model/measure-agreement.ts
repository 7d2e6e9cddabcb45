/** Compares the `simd` engine with onnxruntime-web on a model, so that `--engine auto` knows whether to take it. */
import { availableParallelism } from 'node:os';
import { cosine } from '../src/inference/cosine.ts';
import type { Engine } from '../src/inference/engine.ts';
import { openSimd } from '../src/inference/opening/open-cpu.ts';
import { openOnnxruntime } from '../src/inference/opening/open-onnxruntime.ts';
import { sampleInput } from '../src/inference/sample-input.ts';
import type { EngineAgreement, Manifest, Precision } from '../src/model/manifest.ts';
import { ModelError } from './errors.ts';

const samples = 4;

/** What is asked of the simd engine, by precision; int8 rounds at other places than onnxruntime does. */
const required = {
  fp32: { minCosine: 0.999999, maxRelativeDifference: 1e-4 },
  fp16: { minCosine: 0.999, maxRelativeDifference: 1e-2 },
  int8: { minCosine: 0.98, maxRelativeDifference: 0.5 },
} as const;

/**
 * @param onnxPath - the ONNX file of `precision`
 * @returns the record for the manifest, or undefined when simd cannot run the model
 * @throws ModelError when the network's vectors have no direction
 * @throws Error when it can run it and the vectors differ by more than rounding explains
 */
export async function measureAgreement(
  onnxPath: string,
  manifest: Manifest,
  precision: Precision = 'fp32',
): Promise<EngineAgreement | undefined> {
  const variant = manifest.variants[precision];
  if (!variant) throw new Error(`the manifest has no ${precision} variant`);
  const slice = { path: onnxPath, offset: 0, length: variant.bytes };
  const model = { manifest, precision, id: 'being prepared', slice };
  const threads = availableParallelism();
  const simd = await openSimd(model, threads);
  if ('unsupported' in simd) return undefined;
  const engines: Engine[] = [simd.engine];
  try {
    const reference = await openOnnxruntime(model, { threads });
    engines.push(reference);
    const measured = await compare(simd.engine, reference, manifest);
    const limits = required[precision];
    if (
      !(measured.minCosine >= limits.minCosine) ||
      !(measured.maxRelativeDifference <= limits.maxRelativeDifference)
    )
      throw new Error(
        `the simd engine disagrees with onnxruntime: cosine ${measured.minCosine}, difference ${measured.maxRelativeDifference}`,
      );
    return measured;
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}

async function compare(
  engine: Engine,
  reference: Engine,
  { graph, preprocess }: Manifest,
): Promise<EngineAgreement> {
  const size = 3 * graph.height * graph.width;
  const amplitude = (127 * preprocess.scale) / preprocess.std[0];
  let minCosine = 1;
  let maxRelativeDifference = 0;
  for (let seed = 1; seed <= samples; seed++) {
    const input = sampleInput(size, seed, amplitude);
    const [ours] = await engine.run([input]);
    const [theirs] = await reference.run([input]);
    if (!ours || !theirs) throw new Error('an engine gave no output');
    const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    if (!(largest > 0 && Number.isFinite(largest)))
      throw new ModelError(
        `the network gives ${largest === 0 ? 'a vector of zeros' : 'no finite vector'} for a test picture: its weights are of no use`,
      );
    const difference = ours.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - (theirs[i] ?? Number.NaN))),
      0,
    );
    minCosine = Math.min(minCosine, cosine(ours, theirs));
    maxRelativeDifference = Math.max(maxRelativeDifference, difference / largest);
  }
  return { samples, minCosine, maxRelativeDifference };
}
