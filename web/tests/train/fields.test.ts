import { describe, expect, it } from "vitest";

import { belongs, CLICKS, groupOf, nearestClick, read, typed } from "../../src/train/fields";
import type { Field } from "../../src/train/types";

function field(change: Partial<Field>): Field {
  const words = { en: "", es: "" };
  return {
    path: "model.num_layers",
    forms: [],
    kind: "integer",
    choices: [],
    optional: false,
    default: 6,
    needs: null,
    of_several: false,
    words,
    takes: words,
    ...change,
  };
}

describe("read", () => {
  it("takes numbers with a point or a comma", () => {
    expect(read(field({ kind: "number" }), "0,15")).toBe(0.15);
    expect(read(field({ kind: "number" }), " 1e-3 ")).toBe(0.001);
    expect(read(field({}), "4")).toBe(4);
  });

  it("leaves what is no number for Studio to judge", () => {
    expect(read(field({}), "dos")).toBe("dos");
    expect(read(field({}), "1.000,5")).toBe("1.000,5");
    expect(read(field({}), "")).toBe("");
  });

  it("takes an empty field for null where that may be", () => {
    expect(read(field({ optional: true }), "  ")).toBeNull();
    expect(read(field({ kind: "text", optional: true }), "")).toBeNull();
  });

  it("takes lists", () => {
    const lengths = field({ kind: "list", default: [64, 256] });
    expect(read(lengths, "64, 256")).toEqual([64, 256]);
    expect(read(lengths, "64")).toEqual([64]);
    const heldOut = field({ kind: "list", default: 0.1 });
    expect(read(heldOut, "0,2")).toBe(0.2);
    expect(read(heldOut, "uno; dos")).toEqual(["uno", "dos"]);
  });

  it("is the inverse of typed", () => {
    const cases: [Partial<Field>, Field["default"]][] = [
      [{ kind: "number" }, 0.003],
      [{ kind: "list", default: [0.9] }, [0.9, 0.98]],
      [{ kind: "boolean" }, true],
      [{ kind: "choice" }, "muon"],
      [{ kind: "integer", optional: true }, null],
    ];
    for (const [change, value] of cases) {
      const made = field(change);
      expect(read(made, typed(made, value))).toEqual(value);
    }
  });
});

describe("fields", () => {
  it("belong to all architectures, or to some", () => {
    expect(belongs(field({}), "llama")).toBe(true);
    expect(belongs(field({ forms: ["bert"] }), "llama")).toBe(false);
    expect(belongs(field({ forms: ["bert"] }), "bert")).toBe(true);
  });

  it("stand in groups", () => {
    expect(groupOf(field({ path: "optimizer.rate" }))).toBe("optimizer");
    expect(groupOf(field({ path: "steps" }))).toBe("");
    expect(groupOf(field({ path: "phases.*.mask_share" }))).toBe("phases");
  });
});

describe("the dial", () => {
  it("clicks into the nearest minutes", () => {
    expect(CLICKS[nearestClick(5)]).toBe(5);
    expect(CLICKS[nearestClick(13)]).toBe(15);
    expect(CLICKS[nearestClick(0)]).toBe(1);
    expect(CLICKS[nearestClick(9999)]).toBe(480);
  });
});
