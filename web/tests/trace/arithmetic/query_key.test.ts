import { describe, expect, it } from "vitest";

import type { Block } from "../../../src/protocol/block";
import { meet } from "../../../src/trace/arithmetic/query_key";

const block: Block = {
  header: {
    dtype: "float32",
    shape: [3, 2],
    aggregated: false,
    keys: [4, 7],
    scores: [5, null],
    weights: [1, 0],
    scaling: 1,
  },
  values: new Float32Array([1, 2, -3, 4, 9, 9]),
};

describe("meet", () => {
  it("multiplies the query with each key that it may look at", () => {
    const { q, rows, ceiling } = meet(block, { part: "", layer: 0, head: 1, query: 7 });
    expect([...q]).toEqual([1, 2]);
    expect(rows.map(({ key, products }) => [key, ...products])).toEqual([[4, -3, 8]]);
    expect(ceiling).toEqual({ q: 2, k: 4, products: 8 });
  });
});
