/**
 * Two thousand requests through the executable on a GPU in software: its memory must not grow. SOAK_REQUESTS=6000 makes it longer.
 */
import { describe, expect } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosine } from '../../src/inference/cosine.ts';
import { testUnless } from '../support/data.ts';
import { eventually } from '../support/eventually.ts';
import { tinyTestModel } from '../support/models.ts';
import type { Operator } from '../support/operator.ts';
import { driver } from './support/drivers.ts';
import { execute, pictures, readyLine, start } from './support/operator.ts';

const requests = Number(process.env.SOAK_REQUESTS ?? 2000);
/** Not looked at: memory is allocated, code is compiled. */
const settling = 200;
const atATime = 8;
/**
 * Megabytes between the means of the first and of the last quarter. The runtime's heaps go on settling for some 2,500
 * requests, by 50 at most; a decoded picture of 58 kB left behind by each image would add about 100.
 */
const allowedGrowth = 60;
const images = pictures(5, { width: 160, height: 120 });

const residentMegabytes = ({ pid }: Operator): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
const openFiles = ({ pid }: Operator): number => readdirSync(`/proc/${pid}/fd`).length;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** What tests/webgpu/support/count-buffers.ts prints of the tiny model. */
async function countBuffers(runs: number): Promise<{ buffers: number; bytes: number }[]> {
  const script = join(import.meta.dir, 'support/count-buffers.ts');
  const child = Bun.spawn([process.execPath, script, tinyTestModel(), String(runs)], {
    env: { ...process.env, ...driver.env },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('soak', () => {
  testUnless(
    driver.missing,
    'buffers on the GPU, do not become more with the runs',
    async () => {
      const [early, late] = await countBuffers(120);
      expect(early!.buffers).toBeGreaterThan(10);
      expect(late).toEqual(early!);
    },
    120_000,
  );

  testUnless(
    driver.missing ?? (process.platform === 'linux' ? undefined : 'this is not Linux'),
    `${requests} requests of one to three images, memory and open files stay flat and every vector is right`,
    async () => {
      const args = ['--device', 'webgpu', '--allow-software-gpu', '--max-batch', '8'];
      args.push('--graph-capture', 'on');
      const model = tinyTestModel();
      await using operator = await start({ model, args, env: driver.env });
      const expected: Float32Array[] = [];
      for (const image of images) expected.push(...(await execute(operator, [image])));

      const memory: number[] = [];
      const files: number[] = [];
      let next = 0;
      const caller = async (): Promise<void> => {
        for (let i = next++; i < requests; i = next++) {
          const wanted = Array.from(
            { length: i % 4 === 0 ? 3 : 1 },
            (_, k) => (i + k) % images.length,
          );
          const vectors = await execute(
            operator,
            wanted.map((each) => images[each]!),
          );
          expect(vectors.length).toBe(wanted.length);
          for (const [k, each] of wanted.entries())
            expect(cosine(vectors[k]!, expected[each]!)).toBeGreaterThanOrEqual(0.99999);
          if (i < settling) continue;
          memory.push(residentMegabytes(operator));
          files.push(openFiles(operator));
        }
      };
      await Promise.all(Array.from({ length: atATime }, caller));

      const quarter = memory.length >> 2;
      const [first, last] = [mean(memory.slice(0, quarter)), mean(memory.slice(-quarter))];
      console.log(
        `resident: ${first.toFixed(0)} MB in the first quarter, ${last.toFixed(0)} in the last`,
      );
      expect(last).toBeLessThan(first + allowedGrowth);
      expect(mean(files.slice(-quarter))).toBeLessThan(mean(files.slice(0, quarter)) + 4);
      // Nothing went wrong on the way, after which another device would have done the rest.
      expect(readyLine(operator)).toMatchObject({ device: 'webgpu' });
      const calls = (): number => operator.logs.filter(({ msg }) => msg === 'call').length;
      // A reply may come before its line in the log.
      await eventually(() => calls() >= requests + images.length);
      expect(calls()).toBe(requests + images.length);
      expect(operator.logs.filter(({ msg }) => msg?.includes('is lost'))).toEqual([]);
    },
    240_000,
  );
});
