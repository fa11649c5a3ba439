import { describe, expect, it } from "vitest";

import {
  foreseen,
  isBlank,
  isSilent,
  ofAnyText,
  readEdits,
  roomFor,
  setIn,
  toggledBlank,
  toggledSilence,
  withWeight,
  writeEdits,
  type Edit,
} from "../../src/touch/edits";

const cell = { layer: 3, head: 0, row: 7, column: 2 };
const edits: Edit[] = [
  { kind: "silence", layer: 2, head: 5 },
  { kind: "weight", ...cell, value: 0.9 },
  { kind: "blank", token: 4 },
];

describe("the address of edits", () => {
  it("gives the same edits back", () => {
    expect(writeEdits(edits)).toBe("silence-2-5_weight-3-0-7-2-0.9_blank-4");
    expect(readEdits(writeEdits(edits))).toEqual(edits);
    expect(readEdits(writeEdits([]))).toEqual([]);
    expect(readEdits(null)).toEqual([]);
  });

  it("needs no escapes", () => {
    const text = writeEdits(edits);
    expect(String(new URLSearchParams({ edits: text }))).toBe(`edits=${text}`);
  });

  it.each([
    "silence-2",
    "silence-2-x",
    "silence--1-2",
    "weight-1-2-3-4-1.5",
    "weight-1-2-3-4-NaN",
    "weight-1-2-3-4",
    "weight-1-2-3-4-1e-1",
    "blank-1.5",
    "patch-1",
    "blank-9999999",
  ])("leaves out what is no edit: %s", (text) => {
    expect(readEdits(`blank-1_${text}`)).toEqual([{ kind: "blank", token: 1 }]);
  });
});

describe("edits", () => {
  it("silence a head once, and let it speak again", () => {
    const silent = toggledSilence([], 1, 2);
    expect(isSilent(silent, 1, 2)).toBe(true);
    expect(isSilent(silent, 2, 1)).toBe(false);
    expect(toggledSilence(silent, 1, 2)).toEqual([]);
  });

  it("of weights give way to silence and to a blank of the same place", () => {
    const set = withWeight([], cell, 0.5);
    expect(toggledSilence(set, 3, 0)).toEqual([{ kind: "silence", layer: 3, head: 0 }]);
    expect(toggledSilence(set, 3, 1)).toHaveLength(2);
    expect(toggledBlank(set, 2)).toEqual([{ kind: "blank", token: 2 }]);
    expect(toggledBlank(set, 7)).toHaveLength(2); // the token that looks may still look
    expect(isBlank(toggledBlank(toggledBlank(set, 7), 7), 7)).toBe(false);
  });

  it("set a weight in place of the one before, to the hundredth", () => {
    const once = withWeight(edits, cell, 0.333);
    expect(once).toHaveLength(3);
    expect(setIn(once, 3, 0, 7)).toEqual(new Map([[2, 0.33]]));
    expect(setIn(once, 3, 0, 6).size).toBe(0);
  });

  it("never set more than a row has room for", () => {
    const other = { ...cell, column: 5 };
    expect(roomFor(edits, other)).toBe(0.1);
    expect(roomFor(edits, cell)).toBe(1);
    expect(setIn(withWeight(edits, other, 0.8), 3, 0, 7).get(5)).toBe(0.1);
    expect(roomFor(edits, { ...other, row: 6 })).toBe(1);
    expect(setIn(withWeight([], cell, -0.2), 3, 0, 7).get(2)).toBe(0);
  });

  it("of heads outlive their text, those of tokens do not", () => {
    expect(ofAnyText(edits)).toEqual([edits[0]]);
  });
});

describe("a row foreseen", () => {
  const row = Float32Array.from([0.5, 0.25, 0.125, 0.125]);
  const none = (): boolean => false;

  it("keeps what was set and scales the rest, so that it sums to one", () => {
    const found = foreseen(row, new Map([[0, 0.2]]), none);
    expect([...found]).toEqual([0.2, 0.4, 0.2, 0.2].map(Math.fround));
  });

  it("gives a blank token nothing", () => {
    const found = foreseen(row, new Map(), (token) => token === 0);
    expect([...found]).toEqual([0, 0.5, 0.25, 0.25]);
  });

  it("does not divide by nothing", () => {
    expect([...foreseen(Float32Array.from([1, 0]), new Map([[0, 0.5]]), none)]).toEqual([0.5, 0]);
  });
});
