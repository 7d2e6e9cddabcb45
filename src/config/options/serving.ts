/** Where the operator is found, what it runs and how it reports. */
import { precisions } from '../../model/manifest.ts';
import { parseEndpoint } from '../endpoint.ts';
import { option, optional } from '../option.ts';
import {
  choice,
  duration,
  endpoint,
  integer,
  list,
  listen,
  text,
  toggle,
} from '../option-types.ts';

const byDefault = '127.0.0.1:52001';
const parsed = parseEndpoint(byDefault);
if ('problem' in parsed) throw new Error(parsed.problem);

/** Commands that open the model. */
const withModel = ['serve', 'info'];

export const servingOptions = {
  endpoint: option({
    type: endpoint,
    fallback: parsed.value,
    group: 'address',
    commands: ['serve', 'info', 'healthcheck', 'register', 'check'],
    short: 'e',
    description:
      'The address that Identity reports; its port is the one listened on. What register registers and check calls.',
    emptyIsWrong: true,
  }),
  listen: optional({
    type: listen,
    fallbackText: "every interface, IPv4 and IPv6, at the endpoint's port",
    group: 'address',
    commands: ['serve', 'healthcheck'],
    description: 'Listen here instead.',
  }),
  corsOrigin: option({
    type: list('ORIGINS', '*, or origins such as https://example.org with commas between', origin),
    fallback: ['*'],
    group: 'address',
    commands: ['serve'],
    description: 'Pages of these origins may call the operator from a browser.',
  }),
  model: optional({
    type: text('FILE', 'the path of an ONNX file with its manifest (.json) beside it'),
    fallbackText: 'the embedded one',
    group: 'model',
    commands: withModel,
    description: 'ONNX model with its manifest beside it.',
  }),
  precision: option({
    type: choice(...precisions),
    fallback: 'fp32',
    group: 'model',
    commands: withModel,
    description: "Which of the model's variants to run.",
  }),
  device: option({
    type: choice('auto', 'webgpu', 'wasm'),
    fallback: 'auto',
    group: 'compute',
    commands: withModel,
    description: 'Where the network runs: a GPU through WebGPU, or the CPU through WebAssembly.',
  }),
  adapter: optional({
    type: text('GPU', 'the number of a GPU, or a part of its name'),
    fallbackText: 'the fastest, by the driver',
    group: 'compute',
    commands: withModel,
    description:
      'Which GPU, where there are several, by its number or a part of its name; info lists them.',
  }),
  allowSoftwareGpu: option({
    type: toggle,
    fallback: false,
    group: 'compute',
    commands: withModel,
    description: 'Take a GPU that is only software (SwiftShader, llvmpipe); for tests, it is slow.',
  }),
  maxBatch: option({
    type: integer(1, 256),
    fallback: 32,
    group: 'compute',
    commands: withModel,
    description: 'Most images run together on a GPU, gathered from all calls that wait.',
  }),
  maxBatchWait: option({
    type: duration(0, 1000),
    fallback: 5,
    group: 'compute',
    commands: withModel,
    description:
      'Longest an image waits for others to share its batch while the GPU is busy; with an idle GPU it never waits.',
  }),
  cacheDir: optional({
    type: text('FOLDER', 'a folder'),
    fallbackText: 'resnet50-encoder in the XDG cache folder',
    group: 'compute',
    commands: withModel,
    description: 'Where it is kept which device was measured to be faster.',
  }),
  engine: option({
    type: choice('auto', 'onnxruntime', 'simd'),
    fallback: 'auto',
    group: 'compute',
    commands: withModel,
    description:
      'What runs it on the CPU; auto takes simd for a model whose manifest says that it agrees with onnxruntime.',
  }),
  threads: optional({
    type: integer(1, 256),
    fallbackText: 'one per core',
    group: 'compute',
    commands: withModel,
    description: 'Threads that compute, and as many again that decode, 16 at most.',
  }),
  logFormat: optional({
    type: choice('json', 'pretty'),
    fallbackText: 'pretty on a terminal, else json',
    group: 'log',
    commands: ['serve', 'info'],
    description: 'Log lines for programs or for people.',
  }),
  logLevel: option({
    type: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    fallback: 'info',
    group: 'log',
    commands: ['serve', 'info'],
    description: 'Least level that is logged; one line a call at info, probes at debug.',
  }),
};

function origin(entry: string): string | undefined {
  if (entry === '*' || entry === 'null') return undefined;
  const url = URL.canParse(entry) ? new URL(entry) : undefined;
  const same = url !== undefined && url.origin === entry.toLowerCase();
  return same
    ? undefined
    : `holds "${entry}", which is not an origin (scheme, host, port, no path)`;
}
