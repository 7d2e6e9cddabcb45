import { expect, test } from 'bun:test';
import { tellIfSlow } from '../../src/inference/opening/tell-if-slow.ts';

test('tellIfSlow, says what is done when that takes long, and nothing when it does not', async () => {
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  let doing = 'beginning';
  const slow = tellIfSlow(
    tell,
    () => doing,
    async () => {
      doing = 'compiling';
      await Bun.sleep(1700);
      return 'slow';
    },
  );
  expect(
    await tellIfSlow(
      tell,
      () => 'never said',
      async () => 'quick',
    ),
  ).toBe('quick');
  const failed = tellIfSlow(
    tell,
    () => 'never said',
    () => Promise.reject(new Error('no')),
  );
  await expect(failed).rejects.toThrow('no');
  expect(await slow).toBe('slow');
  expect(told).toEqual(['compiling']);
});
