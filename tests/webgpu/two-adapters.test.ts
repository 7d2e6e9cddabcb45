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
        expect((await info('--adapter', `${number}`)).taken).toStartWith(name.toLowerCase());
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

  testUnless(bothDrivers.missing, 'a name that neither has, is refused with both', async () => {
    await expect(info('--adapter', 'GeForce')).rejects.toThrow(
      /no adapter is "GeForce" \(there are: 0: .*, 1: .*\)/,
    );
  });
});
