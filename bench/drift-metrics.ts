/** How far int8 embeddings are from fp32 ones, and what that does to retrieval and to classification. */
import { cosine } from '../src/inference/cosine.ts';

/** A picture's embeddings by both precisions. */
export interface Embedded {
  readonly file: string;
  /** Flowers only. */
  readonly label: string | undefined;
  readonly fp32: Float32Array;
  readonly int8: Float32Array;
}

/** The classifier's head: `[classes][dimension]` weights and a bias per class. */
export interface Head {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

export interface Drift {
  readonly images: number;
  readonly meanCosine: number;
  readonly minCosine: number;
  /** Share of the ten nearest pictures, by fp32, that are among the ten nearest by int8. */
  readonly top10: number;
  /** Flowers whose nearest other flower is of the same kind, by fp32; by int8; int8 searched for among fp32. */
  readonly neighbours: { flowers: number; fp32: number; int8: number; mixed: number } | undefined;
  /** Share of pictures put into the same class. */
  readonly top1: number | undefined;
}

type Precision = 'fp32' | 'int8';

export function measureDrift(set: readonly Embedded[], head: Head | undefined): Drift {
  const cosines = set.map(({ fp32, int8 }) => cosine(fp32, int8));
  const flowers = set.filter(({ label }) => label !== undefined);
  const correct = (query: Precision, database: Precision): number =>
    flowers.filter((flower) => nearest(flower, flowers, query, database)[0]?.label === flower.label)
      .length;
  const overlap = set.map((picture) => {
    const wanted = new Set(nearest(picture, set, 'fp32', 'fp32').slice(0, 10));
    return nearest(picture, set, 'int8', 'int8')
      .slice(0, 10)
      .filter((other) => wanted.has(other)).length;
  });
  return {
    images: set.length,
    meanCosine: mean(cosines),
    minCosine: Math.min(...cosines),
    top10: mean(overlap) / 10,
    neighbours:
      flowers.length > 0
        ? {
            flowers: flowers.length,
            fp32: correct('fp32', 'fp32'),
            int8: correct('int8', 'int8'),
            mixed: correct('int8', 'fp32'),
          }
        : undefined,
    top1:
      head &&
      mean(set.map(({ fp32, int8 }) => Number(classify(fp32, head) === classify(int8, head)))),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The others, nearest first. */
function nearest(
  picture: Embedded,
  set: readonly Embedded[],
  query: Precision,
  database: Precision,
): Embedded[] {
  return set
    .filter((other) => other !== picture)
    .map((other) => ({ other, similarity: cosine(picture[query], other[database]) }))
    .sort((a, b) => b.similarity - a.similarity)
    .map(({ other }) => other);
}

function classify(vector: Float32Array, { weights, bias }: Head): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const [label, start] of bias.entries()) {
    let score = start;
    for (let i = 0; i < vector.length; i++)
      score += weights[label * vector.length + i]! * vector[i]!;
    if (score > most) [most, best] = [score, label];
  }
  return best;
}

export const tableHead = [
  '| calibrated with | measured on | cosine to fp32: mean | least | top-10 overlap | correct flower neighbours: fp32 | int8 | int8 among fp32 | same top-1 class |',
  '|---|---|---|---|---|---|---|---|---|',
].join('\n');

export function tableRow(calibrated: string, measured: string, drift: Drift): string {
  const { meanCosine, minCosine, top10, neighbours, top1 } = drift;
  const percent = (share: number | undefined): string =>
    share === undefined ? '' : `${(100 * share).toFixed(1)} %`;
  const of = (count: number | undefined): string =>
    count === undefined ? '' : `${count} of ${neighbours?.flowers}`;
  const cells = [
    ...[calibrated, `${measured} (${drift.images})`, meanCosine.toFixed(5), minCosine.toFixed(4)],
    percent(top10),
    ...[of(neighbours?.fp32), of(neighbours?.int8), of(neighbours?.mixed)],
    percent(top1),
  ];
  return `| ${cells.join(' | ')} |`;
}
