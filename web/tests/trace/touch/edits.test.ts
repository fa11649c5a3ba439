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
  type HeadPlace,
} from "../../../src/trace/touch/edits";

const at = (layer: number, head: number, part = ""): HeadPlace => ({ part, layer, head });
const cell = { ...at(3, 0), row: 7, column: 2 };
const edits: Edit[] = [
  { kind: "silence", ...at(2, 5) },
  { kind: "weight", ...cell, value: 0.9 },
  { kind: "blank", of: "tokens", token: 4 },
];

describe("the address of edits", () => {
  it("gives the same edits back", () => {
    expect(writeEdits(edits)).toBe("silence-2-5_weight-3-0-7-2-0.9_blank-4");
    expect(readEdits(writeEdits(edits))).toEqual(edits);
    expect(readEdits(writeEdits([]))).toEqual([]);
    expect(readEdits(null)).toEqual([]);
  });

  it("names the part and the answer of an encoder–decoder", () => {
    const parted: Edit[] = [
      { kind: "silence", ...at(1, 0, "decoder") },
      { kind: "weight", ...cell, part: "cross", value: 0.7 },
      { kind: "blank", of: "decoder_tokens", token: 3 },
    ];
    expect(writeEdits(parted)).toBe(
      "silence-decoder-1-0_weight-cross-3-0-7-2-0.7_blank-answer-3",
    );
    expect(readEdits(writeEdits(parted))).toEqual(parted);
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
    "blank-cross-1",
    "silence-decoder-1",
    "silence-decoder-cross-1-0",
    "blank-9999999",
  ])("leaves out what is no edit: %s", (text) => {
    expect(readEdits(`blank-1_${text}`)).toEqual([{ kind: "blank", of: "tokens", token: 1 }]);
  });
});

describe("edits", () => {
  it("silence a head once, and let it speak again", () => {
    const silent = toggledSilence([], at(1, 2));
    expect(isSilent(silent, at(1, 2))).toBe(true);
    expect(isSilent(silent, at(2, 1))).toBe(false);
    expect(toggledSilence(silent, at(1, 2))).toEqual([]);
  });

  it("of weights give way to silence and to a blank of the same place", () => {
    const set = withWeight([], cell, 0.5);
    expect(toggledSilence(set, at(3, 0))).toEqual([{ kind: "silence", ...at(3, 0) }]);
    expect(toggledSilence(set, at(3, 1))).toHaveLength(2);
    expect(toggledBlank(set, "tokens", 2)).toEqual([{ kind: "blank", of: "tokens", token: 2 }]);
    expect(toggledBlank(set, "tokens", 7)).toHaveLength(2); // the token that looks may still look
    expect(isBlank(toggledBlank(toggledBlank(set, "tokens", 7), "tokens", 7), "tokens", 7)).toBe(false);
  });

  it("of one part leave the others alone", () => {
    const set = withWeight([], { ...cell, part: "cross" }, 0.5);
    expect(isSilent(toggledSilence(set, at(3, 0, "decoder")), at(3, 0, "cross"))).toBe(false);
    expect(toggledSilence(set, at(3, 0, "decoder"))).toHaveLength(2);
    expect(toggledBlank(set, "decoder_tokens", 2)).toHaveLength(2);
    expect(toggledBlank(set, "tokens", 2)).toEqual([{ kind: "blank", of: "tokens", token: 2 }]);
    expect(setIn(set, at(3, 0), 7).size).toBe(0);
  });

  it("set a weight in place of the one before, to the hundredth", () => {
    const once = withWeight(edits, cell, 0.333);
    expect(once).toHaveLength(3);
    expect(setIn(once, at(3, 0), 7)).toEqual(new Map([[2, 0.33]]));
    expect(setIn(once, at(3, 0), 6).size).toBe(0);
  });

  it("never set more than a row has room for", () => {
    const other = { ...cell, column: 5 };
    expect(roomFor(edits, other)).toBe(0.1);
    expect(roomFor(edits, cell)).toBe(1);
    expect(setIn(withWeight(edits, other, 0.8), at(3, 0), 7).get(5)).toBe(0.1);
    expect(roomFor(edits, { ...other, row: 6 })).toBe(1);
    expect(setIn(withWeight([], cell, -0.2), at(3, 0), 7).get(2)).toBe(0);
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
