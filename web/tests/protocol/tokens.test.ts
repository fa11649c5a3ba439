import { describe, expect, it } from "vitest";

import { readTokens } from "../../src/protocol/tokens";

describe("tokens of a block", () => {
  it("are slices of the text, but for those that the header names", () => {
    const header = {
      dtype: "int32" as const,
      shape: [3, 4],
      aggregated: false,
      special: [0],
      texts: { 0: "[CLS]" },
    };
    const values = Int32Array.from([2, 7, 8, 9, -1, 0, 2, 3, -1, 2, 3, 5]);
    const text = "🐧a ñu";
    expect(readTokens({ header, values }, text)).toEqual([
      { id: 2, text: "[CLS]", start: null, end: null, special: true },
      { id: 7, text: "🐧a", start: 0, end: 2, special: false },
      { id: 8, text: " ", start: 2, end: 3, special: false },
      { id: 9, text: "ñu", start: 3, end: 5, special: false },
    ]);
    expect(readTokens({ header, values }, "aa ñu")[3]?.text).toBe("ñu");
  });

  it("refuses a block of something else", () => {
    const header = { dtype: "float32" as const, shape: [3, 1], aggregated: false };
    expect(() => readTokens({ header, values: new Float32Array(3) }, "")).toThrow();
  });
});
