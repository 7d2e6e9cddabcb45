import { expect, test } from 'bun:test';
import { prepareImage } from '../../src/image/prepare-image.ts';
import { texturePng } from '../support/pictures.ts';
import { decoders, expectFailure, kerasRules, limits } from './support.ts';

const png = texturePng({ width: 40, height: 30, seed: 1 });
const { decodedBytes } = decoders.PNG.inspect(png);

test('prepareImage, nothing is decoded before the memory for it is granted', async () => {
  const steps: string[] = [];
  const PNG: typeof decoders.PNG = {
    ...decoders.PNG,
    decode(bytes) {
      steps.push('decoded');
      return decoders.PNG.decode(bytes);
    },
  };
  const options = { rules: kerasRules, layout: 'NCHW', limits } as const;
  await prepareImage(png, options, { ...decoders, PNG }, async (bytes) => {
    await Bun.sleep(10);
    steps.push(`granted ${bytes}`);
  });
  expect(steps).toEqual([`granted ${decodedBytes}`, 'decoded']);
});

test('prepareImage, what needs more memory than all may take is refused before any is asked for', () => {
  const small = { ...limits, maxDecodedBytes: decodedBytes - 1 };
  const options = { rules: kerasRules, layout: 'NCHW', limits: small } as const;
  return expectFailure('IMAGE_TOO_LARGE', /--max-decoded-bytes/, () =>
    prepareImage(png, options, decoders, () => Promise.reject(new Error('asked'))),
  );
});
