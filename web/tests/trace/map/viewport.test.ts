import { describe, expect, it } from "vitest";

import { around, entire, isEntire, labelled, showing, type Size } from "../../../src/trace/map/viewport";

const square = (span: number): Size => ({ height: span, width: span });

describe("viewport", () => {
  it("stays inside the map", () => {
    const map = square(512);
    expect(around(0, 511, square(256), map)).toEqual({ row: 0, column: 256, ...square(256) });
    expect(around(300, 300, square(4096), map)).toEqual(entire(map));
    expect(around(3, 3, square(1), map).width).toBe(8);
    expect(around(1, 1, square(1), square(5))).toEqual(entire(square(5)));
  });

  it("is as high and as wide as its map, or less", () => {
    const map = { height: 6, width: 300 };
    const half = around(3, 299, { height: 3, width: 150 }, map);
    expect(half).toEqual({ row: 0, column: 150, height: 6, width: 150 });
    expect(isEntire(half, map)).toBe(false);
    expect(isEntire({ height: 12, width: 300 }, map)).toBe(true);
  });

  it("moves as little as brings a cell into sight", () => {
    const viewport = { row: 10, column: 10, ...square(16) };
    expect(showing(viewport, 12, 25)).toEqual(viewport);
    expect(showing(viewport, 9, 26)).toEqual({ row: 9, column: 11, ...square(16) });
  });

  it("labels as many tokens as there is room for", () => {
    expect(labelled(0, 4, 30, 15)).toEqual([0, 1, 2, 3]);
    expect(labelled(3, 6, 6, 15)).toEqual([3, 6]);
  });
});
