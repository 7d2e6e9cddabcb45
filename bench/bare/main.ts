/** The least that onnxruntime-web can be: compiled, it opens the model of its first argument and runs it once. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-web';
import loaderPath from '../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs' with {
  type: 'file',
};
import wasmPath from '../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm' with {
  type: 'file',
};

/** The ONNX file, threads, and the name and shape of its input, such as 1x3x224x224. */
const [model = '', threads = '1', input = '', sides = ''] = process.argv.slice(2);
ort.env.wasm.numThreads = Number(threads);
ort.env.wasm.wasmBinary = readFileSync(wasmPath);
ort.env.wasm.wasmPaths = { mjs: pathToFileURL(loaderPath) };
const session = await ort.InferenceSession.create(readFileSync(model));
const shape = sides.split('x').map(Number);
const values = new Float32Array(shape.reduce((product, side) => product * side));
await session.run({ [input]: new ort.Tensor('float32', values, shape) });
console.log('first run');
process.exit(0);
