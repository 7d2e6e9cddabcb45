/**
 * Compares the engines on one model: `npm run bench -- engine --model FOLDER/resnet50.onnx`.
 *
 * All engines are open at once and take turns, one image each, so that what else the machine does falls on all alike.
 * Medians of the rounds; how many times faster than onnxruntime-web with as many threads is the median of the rounds' ratios.
 * With `--undisturbed` only turns count during which other processes had less than a twentieth of
 * one core, and rounds go on for as long as it takes, or ten minutes.
 */
import * as native from 'onnxruntime-node';
import { flag, integer, integers, oneOf, required, text } from '../model/options.ts';
import type { Engine } from '../src/inference/engine.ts';
import { openOnnxruntime, openSimd } from '../src/inference/open-cpu.ts';
import { sampleInput } from '../src/inference/sample-input.ts';
import { precisions } from '../src/model/manifest.ts';
import { type Model, openModel } from '../src/model/open-model.ts';
import { tickMs, watchOthers } from './disturbance.ts';
import { profileSteps, profileTable } from './engine-profile.ts';
import { benchOptions } from './options.ts';

export interface Contender {
  readonly name: string;
  readonly threads: number;
  run(image: Float32Array): Promise<unknown>;
  close(): Promise<void>;
}

export interface Timing {
  readonly name: string;
  /** That count. */
  readonly turns: number;
  /** Milliseconds an image. */
  readonly median: number;
  readonly least: number;
  /** How many times faster than the first contender with as many threads: median over the rounds of both. */
  readonly faster: number;
}

/** onnxruntime-web, simd and native onnxruntime, each with each number of threads. */
export async function openContenders(
  model: Model,
  threads: readonly number[],
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  const add = (name: string, engine: Engine): void => {
    contenders.push({
      name,
      threads: engine.threads,
      run: (image) => engine.run([image]),
      close: () => engine.close(),
    });
  };
  for (const count of threads) {
    const label = `${count} thread${count > 1 ? 's' : ''}`;
    add(`onnxruntime-web, ${label}`, await openOnnxruntime(model, { threads: count }));
    const simd = await openSimd(model, count);
    if ('unsupported' in simd) throw new Error(`simd cannot run this model: ${simd.unsupported}`);
    add(`simd, ${label}`, simd.engine);
    contenders.push(await openNative(model, count, `onnxruntime-node (native), ${label}`));
  }
  return contenders;
}

async function openNative(
  { manifest, slice }: Model,
  threads: number,
  name: string,
): Promise<Contender> {
  const { input, layout, height, width } = manifest.graph;
  const session = await native.InferenceSession.create(slice.path, {
    intraOpNumThreads: threads,
    executionProviders: ['cpu'],
  });
  const shape = layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];
  return {
    name,
    threads,
    run: (image) => session.run({ [input]: new native.Tensor('float32', image, shape) }),
    close: () => session.release(),
  };
}

/** Between turns: onnxruntime's threads go on spinning for a while, which is not the next one's to pay for. */
const restMs = 50;

export interface Turns {
  readonly rounds: number;
  /** Whether turns are left out in which other processes were busy. */
  readonly undisturbed?: boolean;
}

const mostMs = 600_000;
const allowedShare = 0.05;

/** One image each in turn, after three rounds to warm up. */
export async function takeTurns(
  contenders: readonly Contender[],
  image: Float32Array,
  { rounds, undisturbed = false }: Turns,
): Promise<Timing[]> {
  // By contender and round; undefined where the turn does not count.
  const times = contenders.map((): (number | undefined)[] => []);
  const counted = (index: number): number[] => times[index]!.filter((time) => time !== undefined);
  const end = performance.now() + mostMs;
  const enough = (): boolean => contenders.every((_, index) => counted(index).length >= rounds);
  for (let round = -3; !enough() && performance.now() < end; round++)
    for (const [index, contender] of contenders.entries()) {
      const others = watchOthers();
      const begun = performance.now();
      await contender.run(image);
      const taken = performance.now() - begun;
      const counts = !undisturbed || others() <= tickMs + allowedShare * taken;
      if (round >= 0) times[index]!.push(counts ? taken : undefined);
      await Bun.sleep(restMs);
    }
  return contenders.map(({ name, threads }, index) => {
    const own = counted(index);
    const reference = contenders.findIndex((other) => other.threads === threads);
    const ratios = times[index]!.map((time, round) => times[reference]![round]! / time!);
    return {
      name,
      turns: own.length,
      median: median(own),
      least: Math.min(...own),
      faster: median(ratios.filter(Number.isFinite)),
    };
  });
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export function timingTable(timings: readonly Timing[]): string {
  const row = ({ name, turns, median, least, faster }: Timing): string =>
    `| ${name} | ${turns} | ${median.toFixed(1)} | ${least.toFixed(1)} | ${faster.toFixed(2)} |`;
  const head = [
    '| engine | turns | median ms | least ms | times faster |',
    '|---|---|---|---|---|',
  ];
  return [...head, ...timings.map(row)].join('\n');
}

/** The same while another process keeps one core busy, for as long as the runs take and a minute at most. */
async function withBusyCore<T>(body: () => Promise<T>): Promise<T> {
  const busy = Bun.spawn([
    process.execPath,
    '-e',
    'const end = Date.now() + 60000; while (Date.now() < end);',
  ]);
  try {
    return await body();
  } finally {
    busy.kill();
    await busy.exited;
  }
}

if (import.meta.main) {
  const values = benchOptions({
    usage: 'engine --model FILE',
    about: 'The engines on one model, bare: all are open at once and take turns, one image each.',
    table: {
      model: required(text('FILE', 'resnet50.onnx; its manifest lies beside it')),
      precision: oneOf(precisions, 'which variant of the model (default: fp32)'),
      rounds: integer('turns of each engine (default: 25)'),
      threads: integers('computing threads (default: 1,2)'),
      profile: flag('print as well where the time goes, step by step'),
      busy: flag('measure as well while another process keeps one core busy'),
      undisturbed: flag('count only turns during which other processes were nearly idle'),
    },
  });
  const model = openModel(values.model, values.precision ?? 'fp32');
  const { height, width } = model.manifest.graph;
  const image = sampleInput(3 * height * width, 1, 127);
  const turns = { rounds: values.rounds ?? 25, undisturbed: values.undisturbed ?? false };
  const contenders = await openContenders(model, values.threads ?? [1, 2]);
  console.log(timingTable(await takeTurns(contenders, image, turns)));
  if (values.busy) {
    const simd = contenders.filter(({ name }) => name.startsWith('simd'));
    console.log('\nWhile another process keeps one core busy:');
    console.log(
      timingTable(await withBusyCore(() => takeTurns(simd, image, { rounds: turns.rounds }))),
    );
  }
  await Promise.all(contenders.map((contender) => contender.close()));
  if (values.profile) console.log(`\n${profileTable(profileSteps(model, image, turns.rounds))}`);
  process.exit(0);
}
