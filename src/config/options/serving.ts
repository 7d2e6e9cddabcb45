/** Where the operator is found, what it runs and how it reports. */

import { parseEndpoint } from '../../endpoint.ts';
import { precisions } from '../../model/manifest.ts';
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
      "The operator's address, as others reach it. serve tells it to Phantoscope and listens on its port; register and check call it; healthcheck asks that port of this machine.",
    emptyIsWrong: true,
  }),
  listen: optional({
    type: listen,
    fallbackText: "every interface, IPv4 and IPv6, at the endpoint's port",
    group: 'address',
    commands: ['serve', 'healthcheck'],
    description: 'Address and port to listen on.',
  }),
  corsOrigin: option({
    type: list('ORIGINS', '*, or origins such as https://example.org with commas between', origin),
    fallback: ['*'],
    group: 'address',
    commands: ['serve'],
    description: 'Web pages of these origins may call the operator.',
  }),
  model: optional({
    type: text('FILE', 'the path of an ONNX file with its manifest (.json) beside it'),
    fallbackText: 'the one in the executable',
    group: 'model',
    commands: withModel,
    description: 'ONNX file of a model. Its manifest (.json) lies beside it.',
  }),
  precision: optional({
    type: choice(...precisions),
    fallbackText: 'fp32, or the only one there is',
    group: 'model',
    commands: withModel,
    description: 'Which variant of the model to run.',
  }),
  device: option({
    type: choice('auto', 'webgpu', 'wasm'),
    fallback: 'auto',
    group: 'compute',
    commands: withModel,
    description:
      'Where to run the network: on a GPU (WebGPU) or on the CPU (WebAssembly). auto takes what is faster.',
  }),
  adapter: optional({
    type: text('GPU', 'the number of a GPU, or a part of its name'),
    fallbackText: 'the fastest, as the driver says',
    group: 'compute',
    commands: withModel,
    description: 'Which GPU to take, by its number or a part of its name. info lists them.',
  }),
  allowSoftwareGpu: option({
    type: toggle,
    fallback: false,
    group: 'compute',
    commands: withModel,
    description:
      'Accept a GPU that is only software (SwiftShader, llvmpipe). It is slow and meant for tests.',
  }),
  graphCapture: option({
    type: choice('auto', 'on', 'off'),
    fallback: 'auto',
    group: 'compute',
    commands: withModel,
    description:
      "Record the GPU's commands for one image and replay them. auto takes it where it is faster.",
  }),
  maxBatch: option({
    type: integer(1, 256),
    fallback: 32,
    group: 'compute',
    commands: withModel,
    description: 'Most images in one batch on a GPU. Images of all waiting calls share a batch.',
  }),
  maxBatchWait: option({
    type: duration(0, 1000),
    fallback: 5,
    group: 'compute',
    commands: withModel,
    description:
      'How long an image may wait for others to share its batch. It waits only while the GPU is busy.',
  }),
  cacheDir: optional({
    type: text('FOLDER', 'a folder'),
    fallbackText: 'resnet50-encoder in XDG_CACHE_HOME or ~/.cache',
    group: 'compute',
    commands: withModel,
    description:
      'Where to remember whether the GPU or the CPU was faster, so that it is measured only once.',
  }),
  engine: option({
    type: choice('auto', 'onnxruntime', 'simd'),
    fallback: 'auto',
    group: 'compute',
    commands: withModel,
    description:
      "What computes on the CPU: our own kernels (simd) or onnxruntime. auto takes simd if the model's manifest says that both agree.",
  }),
  threads: optional({
    type: integer(1, 256),
    fallbackText: 'one per core',
    group: 'compute',
    commands: withModel,
    description:
      'Computing threads, and as many again that decode, 16 at most. More than there are cores are no faster; at most four per core are allowed, or 16.',
  }),
  logFormat: optional({
    type: choice('json', 'pretty'),
    fallbackText: 'pretty on a terminal, else json',
    group: 'log',
    commands: ['serve', 'info'],
    description: 'Log lines for programs (json) or for people (pretty).',
  }),
  logLevel: option({
    type: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    fallback: 'info',
    group: 'log',
    commands: ['serve', 'info'],
    description: 'Lowest level to log. Calls are logged at info, health checks at debug.',
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
