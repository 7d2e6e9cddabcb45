/** `--adapter` where there are two different ones: SwiftShader and llvmpipe. */
import { describe, expect } from 'bun:test';
import { testUnless } from '../support/data.ts';
import { tinyTestModel } from '../support/models.ts';
import { bothDrivers } from './support/drivers.ts';
import { withHalf } from './support/half-model.ts';
import { readyLine, runToEnd, start } from './support/operator.ts';

const onGpu = ['--device', 'webgpu', '--allow-software-gpu', '--max-batch', '1'];

/** What `info` says of the adapters. */
async function info(...args: readonly string[]) {
  const command = ['info', '--model', tinyTestModel(), ...onGpu, ...args];
  const { code, stdout, stderr } = await runToEnd(command, bothDrivers.env);
  if (code !== 0) throw new Error(stderr);
  const [, listed = ''] = /^adapters: +(.*)$/m.exec(stdout) ?? [];
  const [, taken = ''] = /^adapter: +(.*)$/m.exec(stdout) ?? [];
  return {
    listed: [...listed.matchAll(/\d: (\w+).*?\(vulkan\)/g)].map(([, name]) => name!),
    taken,
  };
}

describe('two adapters', () => {
  testUnless(
    bothDrivers.missing,
    'info, lists both and takes the one whose number is given',
    async () => {
      const { listed } = await info();
      expect(listed.toSorted()).toEqual(['SwiftShader', 'llvmpipe']);
      for (const [number, name] of listed.entries())
        expect((await info('--adapter', `${number}`)).taken).toStartWith(name);
    },
  );

  testUnless(
    bothDrivers.missing,
    'a part of the name, decides where it runs, and so whether there is half precision',
    async () => {
      const model = await withHalf(tinyTestModel());
      for (const [part, precision] of [
        ['shader', 'fp32'],
        ['LLVM', 'fp16'],
      ] as const) {
        const args = [...onGpu, '--precision', 'fp16', '--adapter', part];
        await using operator = await start({ model, args, env: bothDrivers.env });
        expect(readyLine(operator)).toMatchObject({ device: 'webgpu', precision });
        expect(String(readyLine(operator).adapter).toLowerCase()).toContain(part.toLowerCase());
      }
    },
  );

  testUnless(
    bothDrivers.missing,
    'a part of both names, is the first one’s, and the log says so',
    async () => {
      const args = ['info', '--model', tinyTestModel(), ...onGpu, '--adapter', 'e'];
      const { stdout, stderr } = await runToEnd(args, bothDrivers.env);
      const [, first = ''] = /^adapters: +0: (.*?) \(vulkan\)/m.exec(stdout) ?? [];
      expect(stdout).toContain(`adapter:      ${first}, `);
      expect(stderr).toMatch(
        /--adapter e is a part of several names \(0: .*, 1: .*\): the first is taken/,
      );
    },
  );

  testUnless(
    bothDrivers.missing,
    'fp16 without --adapter, runs on the one that has half precision, and the log says why',
    async () => {
      const model = await withHalf(tinyTestModel());
      const args = [...onGpu, '--precision', 'fp16'];
      await using operator = await start({ model, args, env: bothDrivers.env });
      expect(readyLine(operator)).toMatchObject({ device: 'webgpu', precision: 'fp16' });
      expect(readyLine(operator).adapter).toMatch(/^llvmpipe/);
      const { listed } = await info();
      const why =
        /^SwiftShader .* does not compute in half precision \(shader-f16\): llvmpipe .* is taken$/;
      // Which one Dawn takes to be the faster is its own affair.
      expect(operator.logs.filter(({ msg }) => why.test(msg ?? '')).length).toBe(
        listed[0] === 'llvmpipe' ? 0 : 1,
      );
    },
  );

  testUnless(bothDrivers.missing, 'a name that neither has, is refused with both', async () => {
    await expect(info('--adapter', 'GeForce')).rejects.toThrow(
      /no adapter is "GeForce" \(there are: 0: .*, 1: .*\)/,
    );
  });
});
