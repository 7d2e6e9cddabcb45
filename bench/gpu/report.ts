/** The results as Markdown: one table with the ratios, and where the rest of the time goes. */
import type { BenchOptions } from './options.ts';
import { find, type Missing, type Results, type Row, type Variant } from './results.ts';

type Figure = number | undefined;

const columns = [
  ['WebGPU fp32', 'WebGPU fp16'],
  ['PyTorch fp32', 'PyTorch TF32', 'PyTorch fp16'],
  ['fp32 / fp32', 'fp32 / TF32', 'fp16 / fp16'],
].flat();

/** The operator's own `--max-batch`. */
const operatorBatch = 32;

export function report(results: Results, options: BenchOptions): string {
  return [
    ...Object.entries(results.machine).map(([name, value]) => `- ${name}: ${value}`),
    ...gaps(results),
    '',
    `| ${options.size}${options.size === 'resnet50' ? '' : ', not the real network'} | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...comparison(results, options),
    '',
    ...aims(results),
    '',
    ...breakdown(results),
  ].join('\n');
}

/** What could not be measured, with one line for each reason. */
function gaps({ missing }: Results): string[] {
  const named = ({ part, variant }: Missing): string =>
    variant === 'none' ? part : `${part} ${variant}`;
  const reasons = Map.groupBy(missing, ({ why }) => why);
  return [...reasons].map(([why, all]) => `- not measured: ${all.map(named).join(', ')}: ${why}`);
}

function comparison(results: Results, { batches, concurrencies }: BenchOptions): string[] {
  const of = (variant: Variant, batch: number, kind?: string): Row | undefined =>
    find(results, { part: kind ? 'pytorch' : 'bare', variant, batch, ...(kind && { kind }) });
  const lines: string[] = [];
  const add = (name: string, ours: Figure[], theirs: Figure[], lower: boolean): void => {
    if ([...ours, ...theirs].every((figure) => figure === undefined)) return;
    const [fp32, fp16] = ours;
    const ratio = (a: Figure, b: Figure): Figure => (a && b ? (lower ? b / a : a / b) : undefined);
    const ratios = [ratio(fp32, theirs[0]), ratio(fp32, theirs[1]), ratio(fp16, theirs[2])];
    const cells = [...ours, ...theirs].map((figure) => digits(figure, lower));
    lines.push(`| ${[name, ...cells, ...ratios.map((each) => digits(each, true))].join(' | ')} |`);
  };
  const both = ['fp32', 'fp16'] as const;
  const three = ['fp32', 'tf32', 'fp16'] as const;
  const pairs = [
    ['resident', 'PyTorch with the images on the card'],
    ['copied', 'PyTorch with both copies, as ours'],
  ] as const;
  for (const [kind, what] of pairs) {
    if (batches.includes(1))
      add(
        `latency at batch 1, ms; ${what}`,
        both.map((variant) => of(variant, 1)?.ms?.median),
        three.map((variant) => of(variant, 1, kind)?.ms?.median),
        true,
      );
    for (const batch of batches)
      add(
        `images/s at batch ${batch}; ${what}`,
        both.map((variant) => of(variant, batch)?.imagesPerSecond),
        three.map((variant) => of(variant, batch, kind)?.imagesPerSecond),
        false,
      );
  }
  for (const concurrency of concurrencies) {
    const rows = both.map((variant) => find(results, { part: 'grpc', variant, concurrency }));
    const at = `through gRPC, ${concurrency} at a time`;
    add(
      `images/s ${at}`,
      rows.map((row) => row?.imagesPerSecond),
      [undefined, undefined, undefined],
      false,
    );
    add(
      `ms a call ${at}, median`,
      rows.map((row) => row?.ms?.median),
      [undefined, undefined, undefined],
      true,
    );
  }
  return lines;
}

/** What issue and documents ask for, with what came out. */
function aims(results: Results): string[] {
  const bare = (batch: number): Row | undefined =>
    find(results, { part: 'bare', variant: 'fp32', batch });
  const torch = find(results, { part: 'pytorch', variant: 'fp32', batch: 32, kind: 'resident' });
  const decoding = find(results, { part: 'decoding' })?.imagesPerSecond;
  const latency = bare(1)?.ms?.median;
  const ratio = divide(bare(32)?.imagesPerSecond, torch?.imagesPerSecond);
  const lines = [
    ...(['fp32', 'fp16'] as const).flatMap((variant) => captureLine(results, variant)),
    `- bare fp32 at batch 32 / PyTorch fp32 without TF32: ${digits(ratio, true)} (aim: at least 0.3)`,
    `- bare fp32 latency at batch 1: ${digits(latency, true)} ms (aim: under 4)`,
    `- decoding alone on ${find(results, { part: 'decoding' })?.more?.threads ?? '–'} threads: ${digits(decoding, false)} images/s`,
  ];
  for (const variant of ['fp32', 'fp16'] as const) {
    const engine = Math.max(
      ...results.rows
        .filter((row) => row.part === 'bare' && row.variant === variant)
        .filter(({ batch }) => batch !== undefined && batch <= operatorBatch)
        .map(({ imagesPerSecond }) => imagesPerSecond ?? 0),
    );
    for (const row of results.rows.filter((r) => r.part === 'grpc' && r.variant === variant)) {
      const allowed = decoding && engine > 0 ? Math.min(decoding, engine) : undefined;
      const share = divide(row.imagesPerSecond, allowed);
      lines.push(
        `- gRPC ${variant} at ${row.concurrency} at a time / the lesser of decoding alone and the bare engine's best up to batch ${operatorBatch} (${digits(allowed, false)} images/s): ${digits(share, true)}${row.concurrency === 64 ? ' (aim: at least 0.8)' : ''}`,
      );
    }
    const cosine = find(results, { part: 'bare', variant, kind: 'cosine' })?.more?.least;
    if (cosine !== undefined)
      lines.push(`- ${variant} on the GPU against fp32 on the CPU: cosine ${cosine.toFixed(7)}`);
  }
  return lines;
}

/** What the engine measured when it was opened. */
function captureLine(results: Results, variant: Variant): string[] {
  const { issued, replayed, used } =
    find(results, { part: 'bare', variant, kind: 'capture' })?.more ?? {};
  if (issued === undefined) return [];
  const taken = used ? 'used' : 'not used';
  return [
    `- graph capture in ${variant} is ${taken}: ${digits(replayed, true)} ms for a single image, ${digits(issued, true)} without it`,
  ];
}

function breakdown(results: Results): string[] {
  const lines: string[] = [];
  const inside = results.rows.filter(({ part }) => part === 'inside');
  if (inside.length > 0)
    lines.push(
      '| one batch, ms | whole | between threads | session | handed over after | replayed | handed over after | tensors made by the CPU | images to the GPU | as pixels | network | vectors back | an empty round trip |',
      '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    );
  for (const { variant, batch, ms, more } of inside) {
    const whole = find(results, { part: 'bare', variant, ...(batch && { batch }) })?.ms?.median;
    // What the engine runs: a recording, where that was faster.
    const capture = find(results, { part: 'bare', variant, kind: 'capture' })?.more?.used;
    const run = batch === 1 && capture ? more?.replayed : ms?.median;
    const between = whole !== undefined && run ? Math.max(0, whole - run) : undefined;
    const {
      issued,
      issuedReplay,
      replayed,
      tensors,
      upload,
      uploadOfPixels,
      network,
      readBack,
      roundTrip,
    } = more ?? {};
    const session = [ms?.median, issued, replayed, issuedReplay];
    const cells = [
      ...[whole, between, ...session, tensors, upload, uploadOfPixels],
      ...[network, readBack, roundTrip],
    ];
    lines.push(`| ${variant}, batch ${batch} | ${cells.map((v) => digits(v, true)).join(' | ')} |`);
  }
  const grpc = results.rows.filter(({ part }) => part === 'grpc');
  if (grpc.length > 0)
    lines.push(
      '',
      '| one call through gRPC, mean ms | call | decode | preprocess | queue | infer | the rest | cores of the operator | cores of the clients |',
      '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    );
  for (const { variant, concurrency, more = {} } of grpc) {
    const stages = [more.decode, more.preprocess, more.queue, more.infer];
    // The wire, the client, and waiting for a thread that decodes.
    const rest = stages.reduce((left = Number.NaN, ms = 0) => left - ms, more.call);
    const cells = [more.call, ...stages, rest, more.operatorCores, more.clientCores];
    lines.push(
      `| ${variant}, ${concurrency} at a time | ${cells.map((v) => digits(v, true)).join(' | ')} |`,
    );
  }
  return lines;
}

const divide = (a: Figure, b: Figure): Figure => (a && b ? a / b : undefined);

/** Milliseconds and ratios with two digits behind the point, rates with none; a dash for what is not known. */
const digits = (figure: Figure, fine: boolean): string =>
  figure === undefined || !Number.isFinite(figure)
    ? '–'
    : figure.toFixed(fine || figure < 10 ? 2 : 0);
