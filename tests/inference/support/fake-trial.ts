/** A trial of engines that compute nothing and take exactly as long as they say. */
import { afterAll, beforeAll, spyOn } from 'bun:test';
import type { AdapterInfo } from '../../../src/inference/adapter-info.ts';
import type { OnnxruntimeEngine } from '../../../src/inference/onnxruntime/engine.ts';
import type { Measurer } from '../../../src/inference/opening/calibration-key.ts';
import type { GpuOptions, Opened, OpenedGpu } from '../../../src/inference/opening/open-gpu.ts';
import { createTrial, DeclinedError } from '../../../src/inference/opening/trial.ts';
import type { Tell } from '../../../src/log.ts';
import { type Model, openModel } from '../../../src/model/open-model.ts';
import { tinyTestModel } from '../../support/models.ts';
import { testFolder } from '../../support/test-folder.ts';

export const model = openModel(tinyTestModel(), 'fp32');
export const adapter = { name: 'a card', driver: 'its driver 1.0' } as AdapterInfo;

/** Milliseconds; what the engines turn on. Whoever reads the time meanwhile reads this one. */
let clock = 0;

/** For the tests of the file that calls it: a machine that stands still for a moment makes no engine slower. */
export function useFakeClock(): void {
  let spy: ReturnType<typeof spyOn>;
  beforeAll(() => {
    spy = spyOn(performance, 'now').mockImplementation(() => clock);
  });
  afterAll(() => spy.mockRestore());
}

/** @param cacheDir - a new folder when it is left out */
export const trialOptions = (over: Partial<GpuOptions> = {}): GpuOptions => ({
  ...{ engine: 'auto', threads: 2, precision: 'fp32', maxBatch: 1, adapter: undefined },
  ...{ allowSoftwareGpu: false, graphCapture: 'off', cacheDir: testFolder('trial') },
  ...over,
});

export interface Fake extends OpenedGpu {
  /** How often it was asked to compute. */
  readonly runs: () => number;
  readonly closed: () => number;
}

/**
 * @param ms - what an image takes
 * @param vector - of every image; an error is thrown instead, also by `close`
 */
export function fake(ms: number, vector: readonly number[] | Error = [1, 2, 3]): Fake {
  let runs = 0;
  let closed = 0;
  const engine: OnnxruntimeEngine = {
    ...{ name: 'onnxruntime', device: 'webgpu', threads: 1, concurrency: 1, maxBatch: 1 },
    ...{ adapter, capture: undefined },
    lost: new Promise<Error>(() => {}),
    async run(inputs) {
      runs++;
      clock += ms;
      if (vector instanceof Error) throw vector;
      return inputs.map(() => Float32Array.from(vector));
    },
    async close() {
      closed++;
      if (vector instanceof Error) throw vector;
    },
  };
  return { model, engine, runs: () => runs, closed: () => closed };
}

/** An operator at its start. */
export function operator(
  options: GpuOptions,
  { of = model, by = {} }: { of?: Model; by?: Partial<Measurer> } = {},
) {
  const told: string[] = [];
  const tell: Tell = (line, level = 'info') =>
    void told.push(level === 'info' ? line : `${level}: ${line}`);
  const trial = createTrial(of, options, tell, { program: '1.0 abc', cpu: 'a CPU', ...by });
  async function judge(gpu: Fake, cpu: Fake | Error): Promise<'gpu' | 'cpu'> {
    const openCpu = async (): Promise<Opened> => {
      if (cpu instanceof Error) throw cpu;
      return cpu;
    };
    const other = await trial.judge(gpu, openCpu);
    if (other !== undefined && other !== cpu) throw new Error('neither of the two is taken');
    return other ? 'cpu' : 'gpu';
  }
  return {
    /** What it has told; what is not merely for information begins with its level. */
    told,
    accept: trial.accept,
    /** @returns what is taken */
    judge,
    /** Both steps. @returns what is taken, or that the GPU is not even opened */
    async start(gpu: Fake, cpu: Fake | Error): Promise<'gpu' | 'cpu' | 'declined'> {
      try {
        trial.accept(adapter);
      } catch (error) {
        if (!(error instanceof DeclinedError)) throw error;
        tell(error.message, error.level);
        return 'declined';
      }
      return judge(gpu, cpu);
    },
  };
}
