/** onnxruntime as native code, which uses what WebAssembly does not have: for comparison. */
import * as native from 'onnxruntime-node';
import type { Model } from '../../src/model/open-model.ts';

export interface NativeEngine {
  run(image: Float32Array): Promise<unknown>;
  close(): Promise<void>;
}

export async function openNative(
  { manifest, slice }: Model,
  threads: number,
): Promise<NativeEngine> {
  const { input, layout, height, width } = manifest.graph;
  const session = await native.InferenceSession.create(slice.path, {
    intraOpNumThreads: threads,
    executionProviders: ['cpu'],
  });
  const shape = layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];
  return {
    run: (image) => session.run({ [input]: new native.Tensor('float32', image, shape) }),
    close: () => session.release(),
  };
}
