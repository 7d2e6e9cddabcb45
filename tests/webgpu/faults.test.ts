/**
 * A GPU that fails while the executable serves: the device is lost, memory runs out, the driver goes away or hangs, shaders
 * do not compile. Every call in flight gets its own vectors all the same, and readiness tells what is going on. The executable has
 * tests/support/faulty-dawn.ts in it.
 */
import { describe, expect } from 'bun:test';
import { cosine } from '../../src/inference/cosine.ts';
import { testUnless } from '../support/data.ts';
import { eventually } from '../support/eventually.ts';
import { driver } from './support/drivers.ts';
import { type Faulty, startFaulty } from './support/faulty-operator.ts';
import { execute, health, pictures, readyLine } from './support/operator.ts';

const images = pictures(4);
const patience = 180_000;

interface Trial extends Faulty {
  /** Vectors of `images`, from before any fault. */
  readonly expected: readonly Float32Array[];
}

const startTrial = (...args: string[]): Promise<Trial> => startWithFaults([], ...args);

/** @param faults - those that are there from the start */
async function startWithFaults(faults: readonly string[], ...args: string[]): Promise<Trial> {
  const faulty = await startFaulty({ faults, args });
  const expected: Float32Array[] = [];
  for (const image of images) expected.push(...(await execute(faulty.operator, [image])));
  return { ...faulty, expected };
}

/** Calls of one and of several images at once, all answered with the right vectors in the right order. */
async function expectNoneLost({ operator, expected }: Trial): Promise<void> {
  const calls = [[0], [1, 2, 3], [3], [2, 0], [1]];
  const answers = await Promise.all(
    calls.map((call) =>
      execute(
        operator,
        call.map((i) => images[i]!),
      ),
    ),
  );
  for (const [n, call] of calls.entries()) {
    expect(answers[n]?.length).toBe(call.length);
    for (const [k, i] of call.entries())
      expect(cosine(answers[n]![k]!, expected[i]!)).toBeGreaterThanOrEqual(0.99999);
  }
}

/** The state that `/readyz` tells, which must be what the health service says. */
async function state({ operator }: Trial): Promise<string> {
  const [response, serving] = [await fetch(`${operator.url}/readyz`), await health(operator)];
  const { state } = (await response.json()) as { state: string };
  // Between the two questions the replacement may have been finished.
  if (state === 'recovering' && serving === 'SERVING') return 'ready';
  expect(response.status).toBe(state === 'ready' ? 200 : 503);
  expect(serving).toBe(state === 'ready' ? 'SERVING' : 'NOT_SERVING');
  return state;
}

const told = ({ operator }: Trial): string =>
  operator.logs.map(({ level, msg }) => `${level}: ${msg}`).join('\n');

describe('a GPU that fails while serving', () => {
  testUnless(
    driver.missing,
    'device lost, is rebuilt once with the calls in flight retried, and the CPU takes over at the second loss',
    async () => {
      await using trial = await startTrial('--max-batch', '2', '--graph-capture', 'on');
      const calls = expectNoneLost(trial);
      trial.fault('destroy-at-submit');
      await calls;
      // The fault came with a run of its own if the calls were done before it.
      await expectNoneLost(trial);
      await trial.operator.logged(({ msg }) => msg === 'going on with onnxruntime on webgpu');
      expect(told(trial)).toMatch(/warn: onnxruntime on webgpu is lost: .*(lost|destroyed)/);

      trial.fault('destroy');
      await trial.operator.logged(({ msg }) => msg === 'going on with simd on wasm');
      await expectNoneLost(trial);
      expect(await state(trial)).toBe('ready');
    },
    patience,
  );

  testUnless(
    driver.missing,
    'readiness, tells that the device is being replaced, and that it is back',
    async () => {
      await using trial = await startTrial('--max-batch', '1');
      expect(await state(trial)).toBe('ready');
      trial.fault('destroy');
      await trial.operator.logged(({ msg }) => msg?.includes('is lost') ?? false);
      expect(await state(trial)).toBe('recovering');
      await expectNoneLost(trial);
      expect(await state(trial)).toBe('ready');
    },
    patience,
  );

  testUnless(
    driver.missing,
    'driver gone at run time, the CPU takes over and the log says what is missing',
    async () => {
      await using trial = await startTrial('--max-batch', '1');
      trial.removeDriver();
      trial.fault('destroy');
      await expectNoneLost(trial);
      await trial.operator.logged(({ msg }) => msg === 'going on with simd on wasm');
      await expectNoneLost(trial);
      expect(told(trial)).toMatch(/warn: no replacement: no WebGPU adapter was found.*no Vulkan/);
    },
    patience,
  );

  testUnless(
    driver.missing,
    'a driver that hangs, is given up and the calls in flight are answered by another device; what comes back later troubles nobody',
    async () => {
      // Side by side: both wait for most of the time.
      const givenUp = async (fault: 'hang' | 'stall'): Promise<void> => {
        await using trial = await startTrial('--max-batch', '1');
        trial.fault(fault);
        await expectNoneLost(trial);
        await trial.operator.logged(({ msg }) => msg?.startsWith('going on with') ?? false);
        expect(told(trial)).toMatch(/warn: onnxruntime on webgpu is lost: it hangs: nothing has/);
        expect(await state(trial)).toBe('ready');
        if (fault === 'stall') {
          await eventually(() => trial.has('came-back'));
          await Bun.sleep(500);
          await expectNoneLost(trial);
        }
        // The thread that hangs is still within the driver.
        expect(await trial.operator.stop()).toBe(0);
      };
      await Promise.all([givenUp('hang'), givenUp('stall')]);
    },
    patience,
  );

  testUnless(
    driver.missing,
    'out of memory, no vector comes from what did not run, and the CPU takes over',
    async () => {
      await using trial = await startTrial('--max-batch', '1');
      trial.fault('out-of-memory');
      await expectNoneLost(trial);
      // Buffers are kept between runs: a device that is lost must ask for new ones.
      trial.fault('destroy');
      await trial.operator.logged(({ msg }) => msg === 'going on with simd on wasm');
      await expectNoneLost(trial);
      expect(told(trial)).toMatch(/warn: .*GPUOutOfMemoryError/);
    },
    patience,
  );

  testUnless(
    driver.missing,
    'shaders that do not compile, the CPU takes over',
    async () => {
      await using trial = await startTrial('--max-batch', '1');
      trial.fault('broken-shaders');
      trial.fault('destroy');
      await expectNoneLost(trial);
      await trial.operator.logged(({ msg }) => msg === 'going on with simd on wasm');
      expect(told(trial)).toMatch(/warn: no replacement: .*parsing WGSL/);
    },
    patience,
  );

  testUnless(
    driver.missing,
    'graph capture that fails, is left out and the GPU is used all the same',
    async () => {
      for (const [fault, why] of [
        ['capture', 'the recording failed'],
        ['destroy-in-capture', 'the GPU device was lost \\(destroyed\\): .*'],
      ] as const) {
        const args = ['--max-batch', '1', '--graph-capture', 'on'];
        await using trial = await startWithFaults([fault], ...args);
        await expectNoneLost(trial);
        expect(told(trial)).toMatch(
          new RegExp(`^warn: graph capture is not used, it failed: ${why}$`, 'm'),
        );
        expect(readyLine(trial.operator)).toMatchObject({ device: 'webgpu' });
      }
    },
    patience,
  );
});
