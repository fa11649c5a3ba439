import { describe, expect, it } from "vitest";

import { linear, logarithmic } from "../../src/design/scale";

describe("a linear scale", () => {
  it("goes there and back, also where places count down", () => {
    const scale = linear([0, 200], [300, 100]);
    expect([scale.place(0), scale.place(50), scale.place(200)]).toEqual([300, 250, 100]);
    expect(scale.value(250)).toBe(50);
  });

  it("ends at round values and marks them", () => {
    const scale = linear([0.13, 4.87], [0, 100], true);
    expect([scale.place(0), scale.place(5)]).toEqual([0, 100]);
    expect(scale.ticks(5)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("a logarithmic scale", () => {
  it("gives each power of ten as much room", () => {
    const scale = logarithmic([0.02, 50], [0, 400]);
    [0.01, 0.1, 1, 10, 100].forEach((value, index) => {
      expect(scale.place(value)).toBeCloseTo(100 * index, 9);
      expect(scale.value(100 * index)).toBeCloseTo(value, 9);
    });
    expect(scale.ticks(5)).toEqual([0.01, 0.1, 1, 10, 100]);
  });

  it("marks values between where there is one power", () => {
    expect(logarithmic([2, 8], [0, 100]).ticks(6)).toEqual([1, 2, 5, 10]);
  });
});
