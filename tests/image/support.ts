/** What the tests of the image room share. */
import { expect } from 'bun:test';
import { createHash } from 'node:crypto';
import { type ErrorCode, OperatorError } from '../../src/errors.ts';
import { createDecoders } from '../../src/image/decoders.ts';
import type { ImageLimits } from '../../src/image/pipeline.ts';
import type { Pixels } from '../../src/image/pixels.ts';
import { inspectImage } from '../../src/image/prepare-image.ts';
import type { PreprocessRules } from '../../src/model/manifest.ts';

export const limits: ImageLimits = {
  maxImageBytes: 100 * 1024 * 1024,
  maxImagePixels: 100_000_000,
};

/** The tutorial operator's preprocessing (contract, steps 2 and 3). */
export const kerasRules: PreprocessRules = {
  resize: { mode: 'stretch', width: 224, height: 224, filter: 'nearest' },
  channels: 'BGR',
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** torchvision's. */
export const torchvisionRules: PreprocessRules = {
  resize: { mode: 'shorter-side', size: 256, filter: 'bilinear' },
  crop: { width: 224, height: 224 },
  channels: 'RGB',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

export const decoders = await createDecoders();

/** As a decoding thread does it, limits first. */
export async function decode(bytes: Uint8Array): Promise<Pixels> {
  return inspectImage(bytes, limits, decoders).decoder.decode(bytes);
}

/** Three bytes a pixel, whatever the channels. */
export function rgbOf({ width, height, channels, data }: Pixels): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = data[i * channels + (channels === 1 ? 0 : c)] ?? 0;
  return rgb;
}

export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** What `body` throws; fails the test if that is no OperatorError, or nothing. */
export async function failure(body: () => unknown): Promise<OperatorError> {
  try {
    await body();
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorError);
    return error as OperatorError;
  }
  throw new Error('an error was expected');
}

export async function expectFailure(
  code: ErrorCode,
  message: RegExp,
  body: () => unknown,
): Promise<void> {
  const error = await failure(body);
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringMatching(message) as unknown as string,
  });
}
