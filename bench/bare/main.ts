/** The least that onnxruntime-web can be: compiled, it opens the model of its argument and runs it once. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-web';
import loaderPath from '../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs' with {
  type: 'file',
};
import wasmPath from '../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm' with {
  type: 'file',
};

const [model = '', threads = '1'] = process.argv.slice(2);
ort.env.wasm.numThreads = Number(threads);
ort.env.wasm.wasmBinary = readFileSync(wasmPath);
ort.env.wasm.wasmPaths = { mjs: pathToFileURL(loaderPath) };
const session = await ort.InferenceSession.create(readFileSync(model));
const image = new ort.Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224]);
await session.run({ input: image });
console.log('first run');
process.exit(0);
