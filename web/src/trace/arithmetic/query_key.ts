// A query and the keys it meets, read from their block: the query's vector is its first row.
import type { Block } from "../../protocol/block";

export interface MetRow {
  key: number;
  k: Float32Array;
  /** q and k multiplied, one by one. */
  products: Float32Array;
  score: number;
  weight: number;
}

/** Which token of which head asks. */
export interface Asked {
  part: string;
  layer: number;
  head: number;
  query: number;
}

export interface Met extends Asked {
  q: Float32Array;
  scaling: number;
  rows: MetRow[];
  /** The greatest magnitudes among all rows: strips of one kind share a scale. */
  ceiling: { q: number; k: number; products: number };
}

export function meet(block: Block, asked: Asked): Met {
  const [, width = 0] = block.header.shape;
  const values = block.values as Float32Array;
  const keys = block.header["keys"] as number[];
  const scores = block.header["scores"] as (number | null)[];
  const weights = block.header["weights"] as number[];
  const q = values.subarray(0, width);
  const rows = keys.flatMap((key, index): MetRow[] => {
    const score = scores[index];
    if (score === null || score === undefined) return []; // the query may not look there
    const k = values.subarray((index + 1) * width, (index + 2) * width);
    const products = k.map((value, d) => value * (q[d] as number));
    return [{ key, k, products, score, weight: weights[index] ?? 0 }];
  });
  const ceiling = {
    q: farthest([q]),
    k: farthest(rows.map((row) => row.k)),
    products: farthest(rows.map((row) => row.products)),
  };
  return { ...asked, q, scaling: block.header["scaling"] as number, rows, ceiling };
}

function farthest(vectors: readonly Float32Array[]): number {
  let found = 0;
  for (const vector of vectors) {
    for (const value of vector) found = Math.max(found, Math.abs(value));
  }
  return found;
}
