/** The GPU path of the compiled executable, on SwiftShader. */
import { describe, expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosine } from '../../src/inference/cosine.ts';
import { testUnless } from '../support/data.ts';
import { smallTestModel, tinyTestModel } from '../support/models.ts';
import { testFolder } from '../support/test-folder.ts';
import { swiftshader } from './support/drivers.ts';
import { execute, pictures, readyLine, runToEnd, start } from './support/operator.ts';

const images = pictures(3);
const onGpu = ['--device', 'webgpu', '--allow-software-gpu'];

/** Libraries that a process has loaded, on Linux. */
const mappedFiles = (pid: number): string => readFileSync(`/proc/${pid}/maps`, 'utf8');
/** Dawn, by the name under which Bun unpacks it: it stays there when no GPU was found, the loader does not. */
const loaded = /\.bun-\S+\.node\b/;

describe('WebGPU on SwiftShader', () => {
  testUnless(
    swiftshader.missing,
    'executable, runs on the adapter asked for and gives the vectors of the CPU, alone and in batches',
    async () => {
      const model = smallTestModel();
      await using gpu = await start({
        model,
        args: [...onGpu, '--adapter', 'swiftshader'],
        env: swiftshader.env,
      });
      expect(readyLine(gpu)).toMatchObject({ device: 'webgpu', engine: 'onnxruntime' });
      expect(String(readyLine(gpu).adapter)).toMatch(/swiftshader/i);
      expect(mappedFiles(gpu.pid)).toMatch(loaded);
      await using cpu = await start({
        model,
        args: ['--device', 'wasm', '--engine', 'onnxruntime'],
      });
      expect(readyLine(cpu)).toMatchObject({ device: 'wasm' });

      const reference = await execute(cpu, images);
      const batched = await execute(gpu, images);
      expect(batched.length).toBe(images.length);
      for (const [i, image] of images.entries()) {
        const [single] = await execute(gpu, [image]);
        expect(cosine(single!, reference[i]!)).toBeGreaterThanOrEqual(0.99999);
        expect(cosine(batched[i]!, single!)).toBeGreaterThanOrEqual(0.99999);
      }
      // Different pictures: agreeing vectors mean something.
      expect(cosine(reference[0]!, reference[1]!)).toBeLessThan(0.9999);
    },
    240_000,
  );

  testUnless(
    swiftshader.missing,
    'info, lists the adapters and tells backend, driver, features and limits of the one taken',
    async () => {
      const args = ['info', '--model', tinyTestModel(), ...onGpu, '--max-batch', '1'];
      const { stdout } = await runToEnd([...args, '--adapter', '0'], swiftshader.env);
      expect(stdout).toMatch(/^adapters: +0: SwiftShader Device.* \(vulkan\)$/m);
      expect(stdout).toMatch(/^adapter: +SwiftShader Device \(Subzero\), google, software$/m);
      expect(stdout).toMatch(/^backend: +vulkan$/m);
      expect(stdout).toMatch(/^driver: +SwiftShader driver/m);
      expect(stdout).toMatch(/^shader-f16: +(yes|no)/m);
      expect(stdout).toMatch(/^features: +.*\bsubgroups\b/m);
      expect(stdout).toMatch(/^limits: +.*\bmaxBufferSize \d{9,}/m);
    },
    120_000,
  );

  testUnless(
    swiftshader.missing,
    '--adapter, that does not exist is refused with those that do and what there is of drivers',
    async () => {
      const args = ['info', '--model', tinyTestModel(), ...onGpu, '--adapter', 'GeForce'];
      const { code, stderr } = await runToEnd(args, swiftshader.env);
      expect(code).toBe(2);
      expect(stderr).toMatch(/no adapter is "GeForce" \(there are: 0: SwiftShader Device/);
      expect(stderr).toContain(`Vulkan driver manifests: ${swiftshader.manifest};`);
      expect(stderr).toMatch(/device nodes?/);
    },
    180_000,
  );

  testUnless(
    swiftshader.missing,
    'a reason that Dawn gives, is told',
    async () => {
      const args = ['info', '--model', tinyTestModel(), ...onGpu];
      for (const adapter of [[], ['--adapter', '0']]) {
        const env = { ...swiftshader.env, DAWNNODE_BACKEND: 'nonsense' };
        const { code, stderr } = await runToEnd([...args, ...adapter], env);
        expect(code).toBe(2);
        expect(stderr).toMatch(/--device webgpu: unrecognised backend 'nonsense'; .*; Vulkan /);
      }
    },
    180_000,
  );

  testUnless(
    swiftshader.missing,
    'info, tells of a GPU that auto has opened and declined, and which options were for it',
    async () => {
      const env = { ...swiftshader.env, XDG_CACHE_HOME: testFolder('cache') };
      // On this model SwiftShader takes a hundred times as long.
      const args = [
        'info',
        '--model',
        tinyTestModel(),
        '--allow-software-gpu',
        '--log-format',
        'json',
      ];
      const declined = /GPU [\d.]+ ms an image, CPU [\d.]+ ms, cosine between them [01]\.\d+/;
      for (const earlier of [false, true]) {
        const options = ['--adapter', 'swiftshader', '--max-batch', '2'];
        const { stdout, stderr } = await runToEnd([...args, ...options], env);
        expect(stdout).toMatch(/^device: +wasm$/m);
        expect(stdout).toMatch(/^adapter: +SwiftShader Device \(Subzero\), google, software$/m);
        const [, why] = /^declined: +the CPU is taken: (.*)$/m.exec(stdout) ?? [];
        expect(why).toMatch(declined);
        expect(why?.endsWith(' (measured at an earlier start)')).toBe(earlier);
        expect(stdout).toMatch(/^shader-f16: +no$/m);
        expect(stdout).toMatch(/^features: +.*\bsubgroups\b/m);
        const warnings = stderr.split('\n').filter((line) => line.includes('"level":"warn"'));
        expect(warnings).toEqual([
          expect.stringContaining('--adapter, --max-batch have no effect: the CPU is taken'),
        ]);
      }
    },
    240_000,
  );

  testUnless(
    swiftshader.missing,
    'a software adapter, is not taken unasked',
    async () => {
      const { code, stderr } = await runToEnd(
        ['info', '--model', tinyTestModel(), '--device', 'webgpu'],
        swiftshader.env,
      );
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /the adapter is only software \(SwiftShader.*--allow-software-gpu takes it; .*Vulkan driver manifests: /,
      );

      await using operator = await start({ model: tinyTestModel(), env: swiftshader.env });
      expect(readyLine(operator)).toMatchObject({ device: 'wasm', engine: 'simd' });
      const line = operator.logs.find(({ msg }) => msg?.startsWith('no GPU'));
      // What is wrong comes first: where there is no device, Dawn was not even asked.
      expect(line?.msg).toMatch(
        /^no GPU, running on the CPU: (no device node|the adapter is only software).*--allow-software-gpu/,
      );
    },
    180_000,
  );

  testUnless(
    swiftshader.missing,
    'auto, measures both devices once and remembers the figures',
    async () => {
      const env = { ...swiftshader.env, XDG_CACHE_HOME: testFolder('cache') };
      const model = tinyTestModel();
      const begin = async (): Promise<string> => {
        await using operator = await start({ model, args: ['--allow-software-gpu'], env });
        return operator.logs.find(({ msg }) => /is taken:/.test(msg ?? ''))?.msg ?? '';
      };
      const measured = await begin();
      expect(measured).toMatch(
        /GPU \d+\.\d ms an image, CPU \d+\.\d ms, cosine between them [01]\./,
      );
      expect(await begin()).toBe(`${measured} (measured at an earlier start)`);
      const kept = readFileSync(
        join(env.XDG_CACHE_HOME, 'resnet50-encoder/calibration.json'),
        'utf8',
      );
      expect(Object.keys(JSON.parse(kept))).toEqual([
        expect.stringMatching(/^\d+\.\d+\.\d+ \S+ 20\S+Z \| .* \| simd on .+ \| \d+ threads \| /),
      ]);
    },
    240_000,
  );
});

describe('without a GPU', () => {
  const noDriver = { VK_DRIVER_FILES: '/nowhere.json' };

  testUnless(
    undefined,
    '--device webgpu, does not start and says what it looked for',
    async () => {
      const args = ['--model', tinyTestModel(), '--device', 'webgpu', '--listen', '127.0.0.1:0'];
      const { code, stderr } = await runToEnd(args, noDriver);
      expect(code).toBe(2);
      expect(stderr).toMatch(/--device webgpu: no WebGPU adapter was found/);
      expect(stderr).toMatch(/no Vulkan driver manifest/);
      expect(stderr).toMatch(/Vulkan loader/);
      expect(stderr).toMatch(/temporary folder: \//);
    },
    180_000,
  );

  testUnless(
    process.platform === 'linux' ? undefined : 'this is not Linux',
    '--device webgpu, names the temporary folder when the addon cannot be unpacked there',
    async () => {
      const args = ['info', '--model', tinyTestModel(), '--device', 'webgpu'];
      const { code, stderr } = await runToEnd(args, { ...noDriver, TMPDIR: '/nowhere' });
      expect(code).toBe(2);
      expect(stderr).toMatch(/WebGPU addon cannot be loaded/);
      expect(stderr).toMatch(/temporary folder \/nowhere \(TMPDIR\) cannot be written/);
    },
    180_000,
  );

  testUnless(
    undefined,
    'auto, starts on the CPU with one line that says why',
    async () => {
      await using operator = await start({ model: tinyTestModel(), env: noDriver });
      const lines = operator.logs.filter(({ msg }) => msg?.startsWith('no GPU'));
      expect(lines.length).toBe(1);
      expect(readyLine(operator)).toMatchObject({ device: 'wasm' });
    },
    180_000,
  );

  testUnless(
    process.platform === 'linux' ? undefined : 'this is not Linux',
    'auto, does not load Dawn',
    async () => {
      await using operator = await start({ model: tinyTestModel(), env: noDriver });
      expect(mappedFiles(operator.pid)).not.toMatch(loaded);
    },
    180_000,
  );
});
