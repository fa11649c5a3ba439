import { describe, expect, it } from "vitest";

import { around, entire, labelled, showing } from "../../src/explore/viewport";

describe("viewport", () => {
  it("stays inside the map", () => {
    expect(around(0, 511, 256, 512)).toEqual({ row: 0, column: 256, span: 256 });
    expect(around(300, 300, 4096, 512)).toEqual(entire(512));
    expect(around(3, 3, 1, 512).span).toBe(8);
    expect(around(1, 1, 1, 5)).toEqual(entire(5));
  });

  it("moves as little as brings a cell into sight", () => {
    const viewport = { row: 10, column: 10, span: 16 };
    expect(showing(viewport, 12, 25)).toEqual(viewport);
    expect(showing(viewport, 9, 26)).toEqual({ row: 9, column: 11, span: 16 });
  });

  it("labels as many tokens as there is room for", () => {
    expect(labelled(0, 4, 30, 15)).toEqual([0, 1, 2, 3]);
    expect(labelled(3, 6, 6, 15)).toEqual([3, 6]);
  });
});
