/** The engines that are compared, all open at once. */
import type { Engine } from '../../src/inference/engine.ts';
import { openSimd } from '../../src/inference/opening/open-cpu.ts';
import { openOnnxruntime } from '../../src/inference/opening/open-onnxruntime.ts';
import type { Model } from '../../src/model/open-model.ts';
import { openNative } from './native.ts';

export interface Contender {
  readonly name: string;
  readonly threads: number;
  run(image: Float32Array): Promise<unknown>;
  close(): Promise<void>;
}

export interface Contenders {
  /** onnxruntime-web, simd and native onnxruntime, each with each number of threads. */
  readonly engines: readonly Contender[];
  /** Those of them that are ours, and native onnxruntime. */
  readonly simd: readonly Contender[];
  readonly native: readonly Contender[];
  /**
   * Two engines of one thread, an image each at once: as long as one of them alone on a machine that gives two whole cores,
   * and longer where two cores are one core's hyperthreads or somebody else is on them.
   */
  readonly apart: Contender;
}

export async function openContenders(
  model: Model,
  threads: readonly number[],
): Promise<Contenders> {
  const engines: Contender[] = [];
  const simd: Contender[] = [];
  const natives: Contender[] = [];
  for (const count of threads) {
    const web = await openOnnxruntime(model, { threads: count });
    const ours = contender('simd', await openOurs(model, count));
    const native = {
      ...(await openNative(model, count)),
      name: label('onnxruntime-node (native)', count),
      threads: count,
    };
    engines.push(contender('onnxruntime-web', web), ours, native);
    simd.push(ours);
    natives.push(native);
  }
  return { engines, simd, native: natives, apart: await openApart(model) };
}

async function openApart(model: Model): Promise<Contender> {
  const pair = [await openOurs(model, 1), await openOurs(model, 1)];
  return {
    name: 'simd, 1 thread each for 2 images at once',
    threads: 1,
    run: (image) => Promise.all(pair.map((engine) => engine.run([image]))),
    close: async () => void (await Promise.all(pair.map((engine) => engine.close()))),
  };
}

async function openOurs(model: Model, threads: number): Promise<Engine> {
  const result = await openSimd(model, threads);
  if ('unsupported' in result) throw new Error(`simd cannot run this model: ${result.unsupported}`);
  return result.engine;
}

const contender = (name: string, engine: Engine): Contender => ({
  name: label(name, engine.threads),
  threads: engine.threads,
  run: (image) => engine.run([image]),
  close: () => engine.close(),
});

const label = (name: string, threads: number): string =>
  `${name}, ${threads} thread${threads > 1 ? 's' : ''}`;
