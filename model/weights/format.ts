/** What a weights file is, by its first bytes; its name is not asked. */
import { closeSync, openSync, readSync } from 'node:fs';
import { ModelError } from '../errors.ts';

export type WeightsFormat = 'hdf5' | 'safetensors' | 'gzip';

const pickleRefusal =
  "a PyTorch file, which is a pickle: opening one can run any code, so it is never opened here. Convert it where you trust it: python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('model.pth', weights_only=True), 'model.safetensors')\"";

const startsWith = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  prefix.every((byte, index) => bytes[index] === byte);

/** @throws ModelError when the file is none of the formats that are read */
export function detectFormat(path: string): WeightsFormat {
  const head = readHead(path, 16);
  if (startsWith(head, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])) return 'hdf5';
  if (startsWith(head, [0x1f, 0x8b])) return 'gzip';
  // PyTorch's present format is a zip archive around a pickle, the one before it a bare pickle of protocol 2 or later.
  const zip = startsWith(head, [0x50, 0x4b, 0x03, 0x04]);
  const pickle = head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;
  if (zip || pickle) throw new ModelError(`${path}: ${pickleRefusal}`);
  // Safetensors has no signature: a header length of eight bytes, then JSON.
  if (head[8] === 0x7b) return 'safetensors';
  throw new ModelError(
    `${path}: neither Keras weights (HDF5) nor safetensors${head.length === 0 ? ': the file is empty' : ''}`,
  );
}

function readHead(path: string, length: number): Uint8Array {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}
