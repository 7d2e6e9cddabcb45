/** Models with an fp16 variant. */
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { convertModel } from '../../../model/convert/convert-model.ts';
import { testFolder } from '../../support/test-folder.ts';

/** @returns path of a copy of the model that has an fp16 variant beside it */
export async function withHalf(onnx: string): Promise<string> {
  const model = join(testFolder('fp16'), 'resnet50.onnx');
  for (const path of [model, model.replace(/onnx$/, 'json')])
    cpSync(path.replace(dirname(model), dirname(onnx)), path);
  const { signal } = new AbortController();
  await convertModel({ model, images: undefined, count: 1, tell: () => {}, signal });
  return model;
}
