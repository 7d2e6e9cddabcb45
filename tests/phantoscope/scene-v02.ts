/** What the tests of v0.2 share: its stand-in with images, and requests to register one of them. */
import { join } from 'node:path';
import type { ImageRecord, RegistrationRequest } from '../../src/phantoscope/registration.ts';
import { type Standin, startStandin, testWithStandin } from './standin.ts';

export const signal = new AbortController().signal;
const stub = `${process.execPath} ${join(import.meta.dir, 'stub-operator.ts')} {host}:{port}`;
const images = [
  `--image=psoperator/resnet50_encoder:1=${stub}`,
  `--image=psoperator/resnet50_encoder:2=${stub}`,
  `--image=psoperator/resnet50_encoder:dev=${stub} untrained`,
  '--image=psoperator/resnet50_encoder:broken=false',
  `--image=psoperator/untrained:1=${stub} untrained`,
  `--image=else/vgg16:1=${stub} foreign`,
  '--image=psoperator/broken:1=false',
];

export const image: ImageRecord = {
  image: 'psoperator/resnet50_encoder:1',
  author: 'me',
  description: 'vectors of pictures',
  version: '0.1.0',
  type: 'encoder',
  instance: 'one',
};

export function requestFor(
  standin: Standin,
  more: Partial<ImageRecord> = {},
  rest: Partial<RegistrationRequest> = {},
): RegistrationRequest {
  return {
    apiUrl: standin.url,
    api: 'auto',
    name: 'resnet50',
    endpoint: { host: '127.0.0.1', port: 52001, text: '127.0.0.1:52001' },
    replace: false,
    allowUntrained: false,
    image: { ...image, ...more },
    ...rest,
  };
}

export const record = (standin: Standin): Promise<unknown> => standin.get('/v1/operator/resnet50');
export const instances = (standin: Standin): Promise<Instance[]> =>
  standin.get('/v1/operator/resnet50/instances') as Promise<Instance[]>;

export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly endpoint: string;
}

export function scene(
  name: string,
  body: (standin: Standin) => Promise<void>,
  args: readonly string[] = [],
): void {
  testWithStandin(`register v0.2, ${name}`, async () => {
    await using standin = await startStandin('v02', [...images, ...args]);
    await body(standin);
  });
}
