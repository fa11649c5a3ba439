import { describe, expect, it } from "vitest";

import {
  around,
  curve,
  greatest,
  heaviest,
  rowLinks,
  strongest,
  strongestLinks,
  thickness,
  withGaps,
} from "../../src/trace/links";

const row = new Float32Array([0.1, 0.5, 0.05, 0.35]);

describe("weights", () => {
  it("finds the strongest, the first of equals", () => {
    expect(strongest(row)).toBe(1);
    expect(strongest([0.5, 0.5])).toBe(0);
    expect(strongest([])).toBe(-1);
    expect(greatest(row)).toBe(0.5);
    expect(greatest([])).toBe(0);
  });

  it("puts the strongest link last, on top", () => {
    const links = rowLinks(row, 7, 0.08);
    expect(links.map((link) => link.key)).toEqual([0, 3, 1]);
    expect(links.every((link) => link.query === 7)).toBe(true);
  });

  it("keeps the strongest links of a whole head", () => {
    const matrix = new Float32Array([0.9, 0.1, 0.4, 0.6]);
    expect(strongestLinks(matrix, 2, 2, 0.2).map(({ query, key }) => [query, key])).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(strongestLinks(matrix, 2, 9, 0.2)).toHaveLength(3);
  });

  it("names the heaviest positions", () => {
    expect(heaviest(row, 2)).toEqual([1, 3]);
  });
});

describe("withGaps", () => {
  it("hides nothing where everything is wanted", () => {
    expect(withGaps([2, 0, 1], 3)).toEqual([{ token: 0 }, { token: 1 }, { token: 2 }]);
  });

  it("says what lies between", () => {
    expect(withGaps([3, 4], 9)).toEqual([
      { from: 0, to: 3 },
      { token: 3 },
      { token: 4 },
      { from: 5, to: 9 },
    ]);
  });

  it("never hides a single token, whose row it would take", () => {
    expect(withGaps([1, 3], 5)).toEqual([0, 1, 2, 3, 4].map((token) => ({ token })));
  });

  it("covers every position once, whatever is wanted", () => {
    for (const wanted of [[], [0], [8], [-1, 99, 4], [1, 2, 6]]) {
      const covered = withGaps(wanted, 9).flatMap((item) =>
        "token" in item
          ? [item.token]
          : Array.from({ length: item.to - item.from }, (_, offset) => item.from + offset),
      );
      expect(covered).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
  });
});

describe("geometry", () => {
  it("stays within the text", () => {
    expect(around(0, 2, 5)).toEqual([0, 1, 2]);
    expect(around(4, 2, 5)).toEqual([2, 3, 4]);
  });

  it("leaves and arrives level", () => {
    expect(curve(100, 10, 50)).toBe("M0 10C45 10 55 50 100 50");
  });

  it("draws a greater weight thicker", () => {
    expect(thickness(0.9, 34)).toBeGreaterThan(thickness(0.3, 34));
    expect(thickness(0, 34)).toBeGreaterThan(0);
    expect(thickness(1, 26)).toBeLessThan(26);
  });
});
