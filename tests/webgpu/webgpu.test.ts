/** The GPU path of the compiled executable, on SwiftShader: a Vulkan driver in software, which Debian's Chromium brings. */
import { describe, expect } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cosine } from '../../src/inference/calibrate.ts';
import { testUnless } from '../support/data.ts';
import { testExecutable } from '../support/executable.ts';
import { smallTestModel } from '../support/models.ts';
import { type Operator, startOperator } from '../support/operator.ts';
import { texturePng } from '../support/pictures.ts';

const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const missing = existsSync(driver) ? undefined : `${driver} (SwiftShader) is not there`;
const gpuEnvironment = { VK_DRIVER_FILES: driver, XDG_RUNTIME_DIR: tmpdir() };
const pictures = Array.from({ length: 3 }, (_, seed) =>
  Buffer.from(texturePng({ width: 80, height: 60, seed })).toString('base64'),
);

async function start(args: string[], env: Record<string, string> = {}): Promise<Operator> {
  return startOperator({
    executable: await testExecutable(),
    args: ['--model', smallTestModel(), ...args],
    env: { XDG_CACHE_HOME: mkdtempSync(join(tmpdir(), 'cache-')), ...env },
    patienceMs: 120_000,
  });
}

async function execute(operator: Operator, datas: string[]): Promise<Float32Array[]> {
  const response = await fetch(`${operator.url}/omnisearch.Operator/Execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ datas }),
  });
  const body = (await response.json()) as { vectors?: { element: number[] }[]; message?: string };
  if (!response.ok) throw new Error(`${response.status} ${body.message}`);
  return (body.vectors ?? []).map(({ element }) => Float32Array.from(element));
}

const ready = (operator: Operator): Record<string, unknown> =>
  operator.logs.find((line) => line.msg?.startsWith('ready')) ?? {};

describe('WebGPU on SwiftShader', () => {
  testUnless(
    missing,
    'executable, runs on the adapter asked for and gives the vectors of the CPU, alone and in batches',
    async () => {
      await using gpu = await start(['--device', 'webgpu', '--allow-software-gpu'], gpuEnvironment);
      expect(ready(gpu)).toMatchObject({ device: 'webgpu', engine: 'onnxruntime' });
      expect(String(ready(gpu).adapter)).toMatch(/swiftshader/i);
      await using cpu = await start(['--device', 'wasm', '--engine', 'onnxruntime']);
      expect(ready(cpu)).toMatchObject({ device: 'wasm' });

      const reference = await execute(cpu, pictures);
      const batched = await execute(gpu, pictures);
      expect(batched.length).toBe(pictures.length);
      for (const [i, picture] of pictures.entries()) {
        const [single] = await execute(gpu, [picture]);
        expect(cosine(single!, reference[i]!)).toBeGreaterThanOrEqual(0.99999);
        expect(cosine(batched[i]!, single!)).toBeGreaterThanOrEqual(0.99999);
      }
      // Different pictures: agreeing vectors mean something.
      expect(cosine(reference[0]!, reference[1]!)).toBeLessThan(0.9999);
    },
    240_000,
  );

  testUnless(
    missing,
    'auto, never takes a software adapter unasked, and says so',
    async () => {
      await using operator = await start([], gpuEnvironment);
      expect(ready(operator)).toMatchObject({ device: 'wasm', engine: 'simd' });
      const line = operator.logs.find(({ msg }) => msg?.startsWith('no GPU'));
      expect(line?.msg).toMatch(/software.*--allow-software-gpu/);
    },
    60_000,
  );

  testUnless(
    missing,
    'auto, measures both devices once and remembers the figures',
    async () => {
      const XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), 'cache-'));
      const environment = { ...gpuEnvironment, XDG_CACHE_HOME };
      const sentence = async (): Promise<string> => {
        await using operator = await start(['--allow-software-gpu'], environment);
        return operator.logs.find(({ msg }) => /is taken:/.test(msg ?? ''))?.msg ?? '';
      };
      const measured = await sentence();
      expect(measured).toMatch(
        /GPU \d+\.\d ms an image, CPU \d+\.\d ms, cosine between them [01]\./,
      );
      expect(await sentence()).toBe(`${measured} (measured at an earlier start)`);
      const kept = readFileSync(join(XDG_CACHE_HOME, 'resnet50-encoder/calibration.json'), 'utf8');
      expect(Object.keys(JSON.parse(kept)).length).toBe(1);
    },
    240_000,
  );
});

describe('without a GPU', () => {
  testUnless(
    undefined,
    '--device webgpu, does not start and says what it looked for',
    async () => {
      const child = Bun.spawn(
        [
          await testExecutable(),
          '--model',
          smallTestModel(),
          '--device',
          'webgpu',
          '--listen',
          '127.0.0.1:0',
        ],
        { env: { VK_DRIVER_FILES: '/nowhere.json' }, stdout: 'pipe', stderr: 'pipe' },
      );
      const text = await new Response(child.stderr).text();
      expect(await child.exited).toBe(2);
      expect(text).toMatch(/--device webgpu: no WebGPU adapter was found/);
      expect(text).toMatch(/no Vulkan driver manifest/);
    },
    60_000,
  );

  testUnless(
    undefined,
    'auto, starts on the CPU with one line that says why',
    async () => {
      await using operator = await start([], { VK_DRIVER_FILES: '/nowhere.json' });
      const lines = operator.logs.filter(({ msg }) => msg?.startsWith('no GPU'));
      expect(lines.length).toBe(1);
      expect(ready(operator)).toMatchObject({ device: 'wasm' });
    },
    60_000,
  );
});
