import { describe, expect, it } from "vitest";

import { CONSTANCY, ends, groups, PLACE, sorted, turned } from "../../../src/trace/explaining/heads";
import type { Head, MeasureDescription } from "../../../src/trace/explaining/types";

function head(layer: number, number: number, entropy: number | null, role = "mixed"): Head {
  return { layer, head: number, role, sentence: "", idle: false, values: { entropy } };
}

const heads = [head(0, 0, 0.5), head(0, 1, null), head(1, 0, 0.9), head(1, 1, 0.5)];
const names = (found: Head[]): string[] => found.map((each) => `${each.layer}.${each.head}`);

describe("sorted", () => {
  it("puts the largest or the smallest first, and what is undefined last either way", () => {
    const by = "entropy";
    expect(names(sorted(heads, { by, descending: true }, null))).toEqual(["1.0", "0.0", "1.1", "0.1"]);
    expect(names(sorted(heads, { by, descending: false }, null))).toEqual(["0.0", "1.1", "1.0", "0.1"]);
  });

  it("sorts by place and by how often a role holds elsewhere", () => {
    expect(names(sorted(heads, { by: PLACE, descending: true }, null))).toEqual([
      "1.1", "1.0", "0.1", "0.0",
    ]);
    const same = [[3, 12], [null, 7]];
    expect(names(sorted(heads, { by: CONSTANCY, descending: true }, same))).toEqual([
      "0.1", "1.1", "0.0", "1.0",
    ]);
    // Not yet known: by place.
    expect(names(sorted(heads, { by: CONSTANCY, descending: true }, null))).toEqual([
      "0.0", "0.1", "1.0", "1.1",
    ]);
  });

  it("leaves the list that it was given alone", () => {
    const before = names(heads);
    sorted(heads, { by: "entropy", descending: true }, null);
    expect(names(heads)).toEqual(before);
  });
});

describe("turned", () => {
  it("begins with the largest of a measure, with the first of the places, and turns round", () => {
    const start = { by: PLACE, descending: false };
    expect(turned(start, "entropy")).toEqual({ by: "entropy", descending: true });
    expect(turned({ by: "entropy", descending: true }, "entropy").descending).toBe(false);
    expect(turned({ by: "entropy", descending: true }, PLACE)).toEqual(start);
  });
});

describe("ends", () => {
  const measure = { name: "entropy", low: 0, high: 1 } as MeasureDescription;

  it("are the measure's own, or the largest number where it has none", () => {
    expect(ends(measure, heads)).toEqual([0, 1]);
    expect(ends({ ...measure, high: null }, heads)).toEqual([0, 0.9]);
    expect(ends({ ...measure, high: null }, [])).toEqual([0, 1]);
  });
});

describe("groups", () => {
  it("counts each head once", () => {
    const roles = ["previous", "near", "induction", "idle", "first", "even", "new"];
    const found = groups(roles.map((role, index) => head(0, index, 0, role)));
    expect(found).toEqual({ position: 3, repetition: 1, idle: 1, wide: 1, other: 1 });
  });
});
