import { describe, expect, it } from "vitest";

import { exact, tabSeparated } from "../../src/design/table_text";

describe("exact", () => {
  it("is read back as the same float32", () => {
    const weights = new Float32Array([0.1, 1 / 3, 0.918995, 1e-9, 0, 1, 0.30000001]);
    for (const weight of weights) expect(Math.fround(Number(exact(weight)))).toBe(weight);
  });

  it("is short", () => {
    expect(exact(Math.fround(0.1))).toBe("0.1");
    expect(exact(12)).toBe("12");
  });
});

describe("tabSeparated", () => {
  it("keeps cells in their columns", () => {
    expect(tabSeparated(["Position", "Token", "Weight"], [[0, "a\tb\nc", 0.5]])).toBe(
      "Position\tToken\tWeight\n0\ta b c\t0.5\n",
    );
  });
});
