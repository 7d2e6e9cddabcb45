/** What a release may not carry. */
import { afterAll, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { embeddedModel } from '../../build/embedded-model.ts';
import { smallTestModel } from '../support/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'release-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** `npm run build -- --release` with untrained weights. */
async function release(out: string, ...more: string[]): Promise<{ code: number; said: string }> {
  const args = ['--model', smallTestModel(), '--release', '--out', out, ...more];
  const child = Bun.spawn([process.execPath, 'build/build.ts', ...args], {
    cwd: join(import.meta.dir, '../..'),
    stderr: 'pipe',
  });
  const said = await new Response(child.stderr).text();
  return { code: await child.exited, said };
}

test('build --release, refuses untrained weights and writes nothing', async () => {
  const out = join(folder, 'refused');
  const { code, said } = await release(out);
  expect(said).toMatch(/^npm run build: --release: .* has untrained weights; .*--allow-untrained/);
  expect(code).toBe(2);
  expect(existsSync(out)).toBeFalse();
});

test('build --release --allow-untrained, takes them and says so', async () => {
  const out = join(folder, 'allowed');
  const { code, said } = await release(out, '--allow-untrained');
  expect(said).toContain('small-test-network, fp32, UNTRAINED');
  expect(code).toBe(0);
  expect(existsSync(out)).toBeTrue();
});

test('embeddedModel, refuses bytes that are not those of the manifest: the executable never looks again', () => {
  const copy = join(folder, 'copy');
  cpSync(dirname(smallTestModel()), copy, { recursive: true });
  const onnx = join(copy, 'resnet50.onnx');
  expect(embeddedModel(onnx, 'all', false).files).toEqual({ fp32: onnx });
  const bytes = readFileSync(onnx);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(onnx, bytes);
  expect(() => embeddedModel(onnx, 'all', false)).toThrow(/the checksum of resnet50\.onnx is not/);
  rmSync(onnx);
  expect(() => embeddedModel(onnx, 'all', false)).toThrow(`--model ${onnx}: there is no such file`);
});
