import { describe, expect, it } from "vitest";

import { pairs, pointAt, range, smooth } from "../../src/train/series";

describe("pairs", () => {
  it("leaves out what has no number", () => {
    expect(pairs([1, 2, 3, 4], [5, null, undefined, NaN])).toEqual([[1, 5]]);
    expect(pairs([1, 2], [0, 0.5], true)).toEqual([[2, 0.5]]);
  });
});

describe("smooth", () => {
  it("is the mean of the last ones", () => {
    const points = smooth([[1, 2], [2, 4], [3, 6], [4, 8]], 2);
    expect(points).toEqual([[1, 2], [2, 3], [3, 5], [4, 7]]);
  });
});

describe("range", () => {
  const series = [{ name: "a", colour: "", points: [[1, 3], [2, 9], [5, 1]] as [number, number][] }];

  it("spans all values, or a share of them", () => {
    expect(range(series, 0)).toEqual([1, 5]);
    expect(range(series, 1)).toEqual([1, 9]);
    expect(range(series, 1, 0.6)).toEqual([1, 3]);
    expect(range([], 1)).toEqual([0, 1]);
  });
});

describe("pointAt", () => {
  it("is the last one at or before a step", () => {
    const points: [number, number][] = [[10, 1], [20, 2], [30, 3]];
    expect(pointAt(points, 5)).toEqual([10, 1]);
    expect(pointAt(points, 20)).toEqual([20, 2]);
    expect(pointAt(points, 29)).toEqual([20, 2]);
    expect(pointAt(points, 99)).toEqual([30, 3]);
    expect(pointAt([], 1)).toBeUndefined();
  });
});
