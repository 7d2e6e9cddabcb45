/** Cosines between pictures; each pair is worked out once. */
export interface Neighbour {
  readonly id: number;
  readonly cosine: number;
}

export interface Similarity {
  /** Takes a picture in. A vector of zeros is like nothing, itself included: its cosines are 0. */
  add(id: number, vector: Float32Array): void;
  remove(id: number): void;
  /** -1 to 1; undefined for a pair that is not in. */
  cosine(a: number, b: number): number | undefined;
  /** The other pictures, most alike first. */
  neighbours(id: number): Neighbour[];
}

export function createSimilarity(): Similarity {
  const units = new Map<number, Float32Array>();
  const rows = new Map<number, Map<number, number>>();
  return {
    add(id, vector) {
      const unit = unitOf(vector);
      const row = new Map<number, number>();
      for (const [other, otherUnit] of units) {
        if (otherUnit.length !== unit.length) continue;
        const cosine = dot(unit, otherUnit);
        row.set(other, cosine);
        rows.get(other)?.set(id, cosine);
      }
      row.set(id, dot(unit, unit));
      units.set(id, unit);
      rows.set(id, row);
    },
    remove(id) {
      units.delete(id);
      rows.delete(id);
      for (const row of rows.values()) row.delete(id);
    },
    cosine: (a, b) => rows.get(a)?.get(b),
    neighbours: (id) =>
      [...(rows.get(id) ?? [])]
        .filter(([other]) => other !== id)
        .map(([other, cosine]) => ({ id: other, cosine }))
        .sort((a, b) => b.cosine - a.cosine || a.id - b.id),
  };
}

/** The Euclidean distance of two vectors of length 1 with this cosine: what an index with metric L2 sorts by. */
export function distanceOf(cosine: number): number {
  return Math.sqrt(Math.max(0, 2 - 2 * cosine));
}

function unitOf(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(dot(vector, vector));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return Math.max(-1, sum);
}
