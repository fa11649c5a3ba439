import { describe, expect, it } from "vitest";

import { folded, LEAST_ROW, unfolded } from "../../../src/trace/lines/arrangement";

describe("unfolded", () => {
  it("gives every token a row on both sides, at the same height", () => {
    const { left, right, rowHeight, height } = unfolded(13, 430);
    expect(left.places.size).toBe(13);
    expect([...right.places]).toEqual([...left.places]);
    expect(height).toBe(13 * rowHeight);
    expect(height).toBeLessThanOrEqual(430);
    expect(left.places.get(0)).toBe(rowHeight / 2);
  });

  it("has two columns of their own lengths where one text looks at another", () => {
    const { left, right, rowHeight, height } = unfolded(4, 430, 9);
    expect([left.places.size, right.places.size]).toEqual([4, 9]);
    expect(height).toBe(9 * rowHeight);
    expect(left.places.get(0)).toBe(2.5 * rowHeight + rowHeight / 2);
  });

  it("scrolls rather than make rows too small to read", () => {
    const { rowHeight, height } = unfolded(200, 430);
    expect(rowHeight).toBe(LEAST_ROW);
    expect(height).toBe(200 * LEAST_ROW);
  });
});

describe("folded", () => {
  const weights = new Float32Array(300).fill(0.001);
  for (const heavy of [3, 50, 51, 120, 299]) weights[heavy] = 0.1;

  it.each([300, 430, 900])("fits in %d pixels what it can, the strongest always", (room) => {
    const { left, right, height } = folded(weights, 100, room);
    expect(height).toBeLessThanOrEqual(Math.max(room, 12 * LEAST_ROW) + 40);
    for (const token of [99, 100, 101, 3, 50, 51]) expect(right.places.has(token)).toBe(true);
    for (const token of [98, 99, 100, 101]) expect(left.places.has(token)).toBe(true);
  });

  it("shows of another text its strongest only, and the source's own neighbours", () => {
    const { left, right } = folded(weights, 10, 430, 64);
    for (const token of [9, 10, 11]) expect(left.places.has(token)).toBe(true);
    expect(Math.max(...left.places.keys())).toBeLessThan(64);
    expect(right.places.has(299)).toBe(true);
    expect(right.places.has(9)).toBe(false);
  });

  it("puts the shorter column in the middle", () => {
    const { left, right, height } = folded(weights, 0, 430);
    const middle = (places: ReadonlyMap<number, number>): number => places.get(0) ?? NaN;
    expect(middle(left.places)).toBeGreaterThan(0);
    expect(middle(right.places)).toBeLessThan(height);
  });
});
