/** Writes safetensors files, sound ones and ones with a header of the test's choice. */
import { writeFileSync } from 'node:fs';
import type { RandomLayer } from './random-weights.ts';

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** torchvision's names for the layers of a ResNet. */
export function torchvisionTensors(layers: readonly RandomLayer[]): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const { layer, kernel, gamma, beta, mean, variance } of layers) {
    const { position, inChannels, outChannels } = layer;
    let conv = 'conv1';
    let norm = 'bn1';
    if (position.part !== 'stem') {
      const block = `layer${position.stage - 1}.${position.block - 1}`;
      const shortcut = position.conv === 0;
      conv = shortcut ? `${block}.downsample.0` : `${block}.conv${position.conv}`;
      norm = shortcut ? `${block}.downsample.1` : `${block}.bn${position.conv}`;
    }
    const shape = [outChannels, inChannels, layer.kernel, layer.kernel];
    tensors.set(`${conv}.weight`, { shape, values: kernel });
    const parts = { weight: gamma, bias: beta, running_mean: mean, running_var: variance };
    for (const [part, values] of Object.entries(parts))
      tensors.set(`${norm}.${part}`, { shape: [outChannels], values });
  }
  return tensors;
}

/** The header that describes `tensors` laid out one after another. */
export function safetensorsHeader(tensors: ReadonlyMap<string, Tensor>) {
  let end = 0;
  const entries = [...tensors].map(([name, { shape, values }]) => {
    const begin = end;
    end += values.byteLength;
    const data_offsets: [number, number] = [begin, end];
    return [name, { dtype: 'F32', shape: [...shape], data_offsets }] as const;
  });
  return Object.fromEntries(entries);
}

/** @param header - an object, or text where it is not to be JSON */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  header: object | string = safetensorsHeader(tensors),
): void {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  const data = [...tensors.values()].map(
    ({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  writeFileSync(path, Buffer.concat([length, json, ...data]));
}
