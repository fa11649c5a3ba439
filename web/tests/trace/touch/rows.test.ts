import { describe, expect, it } from "vitest";

import { FITS, nudged, slidersOf } from "../../../src/trace/touch/rows";

describe("the sliders of a row", () => {
  const short = Float32Array.from({ length: 10 }, () => 0.1);

  it("are all that the token may look at", () => {
    expect(slidersOf(short, 3, false, new Map(), false)).toHaveLength(10);
    expect(slidersOf(short, 3, true, new Map(), false)).toEqual([0, 1, 2, 3]);
  });

  it("are those that matter where the text is long", () => {
    const long = Float32Array.from({ length: 300 }, (_, key) => (key === 250 ? 0.9 : key === 7 ? 0 : 1e-4));
    const found = slidersOf(long, 100, false, new Map([[299, 0.1]]), false);
    expect(found.length).toBeLessThanOrEqual(FITS);
    for (const key of [250, 100, 96, 104, 299]) expect(found).toContain(key);
    expect(found).not.toContain(7);
    expect([...found].sort((a, b) => a - b)).toEqual(found);
    expect(slidersOf(long, 100, false, new Map(), true)).toHaveLength(300);
  });
});

describe("the keys of a slider", () => {
  it("move by hundredths and tenths, within 0 and 1", () => {
    expect(nudged("ArrowUp", false, 0.5)).toBeCloseTo(0.51);
    expect(nudged("ArrowLeft", false, 0.5)).toBeCloseTo(0.49);
    expect(nudged("ArrowRight", true, 0.5)).toBeCloseTo(0.6);
    expect(nudged("PageDown", false, 0.05)).toBe(0);
    expect(nudged("End", false, 0.2)).toBe(1);
    expect(nudged("Tab", false, 0.2)).toBeNull();
  });
});
