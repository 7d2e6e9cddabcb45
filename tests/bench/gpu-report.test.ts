/** The arithmetic of `npm run bench -- gpu`: its ratios decide whether the aims are met. */
import { describe, expect, test } from 'bun:test';
import { type BenchOptions, parseOptions } from '../../bench/gpu/options.ts';
import { report } from '../../bench/gpu/report.ts';
import type { Results, Row } from '../../bench/gpu/results.ts';

const ms = (median: number) => ({ runs: 9, median, p95: 2 * median, least: median / 2 });
const rows: Row[] = [
  { part: 'bare', variant: 'fp32', batch: 1, imagesPerSecond: 250, ms: ms(4) },
  { part: 'bare', variant: 'fp32', batch: 32, imagesPerSecond: 600, ms: ms(50) },
  { part: 'bare', variant: 'fp32', batch: 64, imagesPerSecond: 900, ms: ms(70) },
  { part: 'bare', variant: 'fp32', kind: 'capture', more: { issued: 5, replayed: 3, used: 1 } },
  {
    part: 'inside',
    variant: 'fp32',
    batch: 1,
    ms: ms(6),
    more: { issued: 2, replayed: 3.5, issuedReplay: 1, tensors: 0.25 },
  },
  { part: 'pytorch', variant: 'fp32', kind: 'resident', batch: 1, imagesPerSecond: 500, ms: ms(2) },
  { part: 'pytorch', variant: 'fp32', kind: 'resident', batch: 32, imagesPerSecond: 1200 },
  { part: 'pytorch', variant: 'tf32', kind: 'resident', batch: 32, imagesPerSecond: 2400 },
  { part: 'pytorch', variant: 'fp32', kind: 'copied', batch: 32, imagesPerSecond: 800 },
  { part: 'decoding', variant: 'none', imagesPerSecond: 1000, more: { threads: 16 } },
  {
    part: 'grpc',
    variant: 'fp32',
    concurrency: 64,
    imagesPerSecond: 480,
    ms: ms(120),
    more: { call: 130, decode: 10, preprocess: 1, queue: 60, infer: 50 },
  },
];
const results: Results = {
  rows,
  machine: { processor: 'one' },
  missing: ['bare', 'inside'].map((part) => ({
    part: part as 'bare',
    variant: 'fp16',
    why: 'no half precision',
  })),
};
const lines = report(results, parseOptions([]) as BenchOptions).split('\n');
const line = (start: string): string => lines.find((each) => each.startsWith(start)) ?? '';

describe('bench gpu, report', () => {
  test('rates, ours divided by theirs', () => {
    expect(line('| images/s at batch 32; PyTorch with the images on the card')).toMatch(
      /\| 600 \| – \| 1200 \| 2400 \| – \| 0\.50 \| 0\.25 \| – \|$/,
    );
    expect(line('| images/s at batch 32; PyTorch with both copies')).toMatch(
      /\| 0\.75 \| – \| – \|$/,
    );
  });

  test('latencies, theirs divided by ours, so that more is better everywhere', () => {
    expect(line('| latency at batch 1, ms; PyTorch with the images on the card')).toMatch(
      /\| 4\.00 \| – \| 2\.00 \| – \| – \| 0\.50 \| – \| – \|$/,
    );
  });

  test('aims, take the stricter figure of PyTorch and the batches that the operator makes', () => {
    expect(line('- bare fp32 at batch 32 / PyTorch')).toMatch(/: 0\.50 \(aim: at least 0\.3\)$/);
    // 600 at batch 32, not 900 at 64: the operator's batches end at 32; decoding would allow 1000.
    expect(line('- gRPC fp32 at 64 at a time')).toMatch(
      /\(600 images\/s\): 0\.80 \(aim: at least 0\.8\)$/,
    );
  });

  test('breakdown, the rest of a call is what no stage explains', () => {
    expect(line('| fp32, 64 at a time')).toMatch(
      /^\| fp32, 64 at a time \| 130\.00 .* \| 9\.00 \|/,
    );
  });

  test('graph capture, what it brings and what the engine made of it', () => {
    expect(lines).toContain(
      '- graph capture in fp32 is used: 3.00 ms for a single image, 5.00 without it',
    );
    // The engine's 4 ms are those of a replay and of the way between the threads.
    expect(line('| fp32, batch 1 |')).toMatch(
      /^\| fp32, batch 1 \| 4\.00 \| 0\.50 \| 6\.00 \| 2\.00 \| 3\.50 \| 1\.00 \| 0\.25 \| –/,
    );
  });

  test('what is missing, told once for each reason', () => {
    expect(lines).toContain('- not measured: bare fp16, inside fp16: no half precision');
  });

  test('options, refused with what is allowed', () => {
    expect(() => parseOptions(['--only', 'bare,foo'])).toThrow(/--only: needs one of bare, inside/);
    expect(() => parseOptions(['--batches', '0'])).toThrow(
      /--batches: needs whole numbers from 1 to 256/,
    );
  });
});
