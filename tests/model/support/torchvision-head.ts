import { openSafetensors } from '../../../model/weights/safetensors.ts';

export interface ClassifierHead {
  readonly classes: number;
  readonly dimension: number;
  /** `[classes, dimension]`: logits are `weight · features + bias`, on features that are not normalised. */
  readonly weight: Float32Array;
  /** `[classes]`. */
  readonly bias: Float32Array;
}

/**
 * The classifier of a torchvision safetensors file, for measurements; it is no part of the encoder's graph.
 * @returns undefined when the file has none
 */
export function readTorchvisionHead(path: string): ClassifierHead | undefined {
  const file = openSafetensors(path);
  try {
    const shape = file.shapes.get('fc.weight');
    if (!shape) return undefined;
    const [classes = 0, dimension = 0] = shape;
    return {
      classes,
      dimension,
      weight: file.read('fc.weight', [classes, dimension]),
      bias: file.read('fc.bias', [classes]),
    };
  } finally {
    file.close();
  }
}
