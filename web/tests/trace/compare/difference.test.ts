import { describe, expect, it } from "vitest";

import type { Piece } from "../../../src/trace/compare/alignment";
import { between, compared, largest, movedShare, type Head } from "../../../src/trace/compare/difference";

const matrix = Float32Array.from([0.5, 0.25, 0.25, 0, 1, 0, 0.125, 0.375, 0.5]);

function gridOf(values: Float32Array, width: number): Head {
  const names = Array.from({ length: width }, (_, id) => {
    return { id, text: "", start: null, end: null, special: false };
  });
  return { values, columns: { names, edges: [] } };
}

function piece(left: number[], right: number[]): Piece {
  return { left, right, label: "", special: false };
}

describe("weights between pieces", () => {
  it("are the weights themselves where a piece is a token", () => {
    expect(between(gridOf(matrix, 3), [[0], [1], [2]], [[0], [1], [2]])).toEqual(matrix);
  });

  it("are summed over keys and averaged over queries, so that rows still sum to one", () => {
    expect([...between(gridOf(matrix, 3), [[0], [1, 2]], [[0], [1, 2]])]).toEqual([0.5, 0.5, 0.0625, 0.9375]);
  });
});

describe("a difference", () => {
  const other = Float32Array.from([0.5, 0.5, 0.125, 0.875]);
  const pieces = [piece([0], [0]), piece([1, 2], [1])];
  const found = compared(pieces, pieces, gridOf(matrix, 3), gridOf(other, 2));

  it("is left − right", () => {
    expect([...found.difference]).toEqual([0, 0, -0.0625, 0.0625]);
    expect(found.greatest).toBe(0.0625);
    expect(movedShare(found)).toBe(0.0625 / 2);
  });

  it("may be of more tokens looked at than look", () => {
    const [one, two] = [Float32Array.from([0.25, 0.75]), Float32Array.from([1, 0])];
    const wide = compared(
      [piece([0], [0])],
      [piece([0], [0]), piece([1], [1])],
      gridOf(one, 2),
      gridOf(two, 2),
    );
    expect([...wide.difference]).toEqual([-0.75, 0.75]);
    expect(movedShare(wide)).toBe(0.75);
    expect(largest(wide, 1)[0]).toMatchObject({ query: 0, key: 0 });
  });

  it("names the largest first and leaves out what does not differ", () => {
    expect(largest(found, 9)).toEqual([
      { query: 1, key: 0, left: 0.0625, right: 0.125, difference: -0.0625 },
      { query: 1, key: 1, left: 0.9375, right: 0.875, difference: 0.0625 },
    ]);
    expect(largest(found, 1)).toHaveLength(1);
  });
});
