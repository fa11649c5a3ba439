import { describe, expect, it } from "vitest";

import {
  countPhases,
  inPhases,
  mayDiffer,
  stretch,
  withOneLess,
  withOneMore,
} from "../../src/train/phases";
import type { Field } from "../../src/train/types";

function field(path: string, needs: string | null = null): Field {
  const words = { en: "", es: "" };
  return {
    path,
    forms: [],
    kind: "number",
    choices: [],
    optional: false,
    default: 1,
    needs,
    of_several: false,
    words,
    takes: words,
  };
}

describe("fields of phases", () => {
  it("stand once for each phase, others as they are", () => {
    const share = field("phases.*.teacher.share", "phases.*.teacher.model");
    expect(inPhases(share, 2).map(({ path, needs }) => [path, needs])).toEqual([
      ["phases.0.teacher.share", "phases.0.teacher.model"],
      ["phases.1.teacher.share", "phases.1.teacher.model"],
    ]);
    expect(inPhases(field("seed"), 2)).toEqual([field("seed")]);
  });

  it("are worth several phases where they are more than ends", () => {
    expect(mayDiffer([field("seed"), field("phases.*.until")])).toBe(false);
    expect(mayDiffer([field("phases.*.until"), field("phases.*.mask_share")])).toBe(true);
  });

  it("are counted by the paths of settings", () => {
    expect(countPhases(["seed"])).toBe(1);
    expect(countPhases(["phases.0.until", "phases.10.until", "model.form"])).toBe(11);
  });
});

describe("a phase more", () => {
  it("takes half of the last one's stretch", () => {
    const two = withOneMore({ seed: "1" }, 1);
    expect(two).toEqual({ seed: "1", "phases.0.until": "0.5", "phases.1.until": "1" });
    const three = withOneMore(two, 2);
    expect([0, 1, 2].map((place) => stretch(three, place))).toEqual([
      [0, 0.5],
      [0.5, 0.75],
      [0.75, 1],
    ]);
  });

  it("goes on as the last one did", () => {
    const two = withOneMore({ "phases.0.mask_share": "0,3", "phases.0.all_masked": true }, 1);
    expect(two["phases.1.mask_share"]).toBe("0,3");
    expect(two["phases.1.all_masked"]).toBe(true);
  });

  it("begins where the reader said, with a comma too", () => {
    const three = withOneMore({ "phases.0.until": "0,2", "phases.1.until": "1" }, 2);
    expect(three["phases.1.until"]).toBe("0.6");
    const unread = withOneMore({ "phases.0.until": "medio", "phases.1.until": "1" }, 2);
    expect(unread["phases.1.until"]).toBe("0.5");
  });
});

describe("a phase less", () => {
  const three = {
    seed: "1",
    "phases.0.until": "0.2",
    "phases.0.mask_share": "a",
    "phases.1.until": "0.6",
    "phases.1.mask_share": "b",
    "phases.2.until": "1",
    "phases.2.mask_share": "c",
  };

  it("leaves its stretch to the next", () => {
    expect(withOneLess(three, 3, 0)).toEqual({
      seed: "1",
      "phases.0.until": "0.6",
      "phases.0.mask_share": "b",
      "phases.1.until": "1",
      "phases.1.mask_share": "c",
    });
  });

  it("has the one before go on to the end", () => {
    const two = withOneLess(three, 3, 2);
    expect(two["phases.1.until"]).toBe("1");
    expect(two["phases.1.mask_share"]).toBe("b");
    expect(two["phases.2.until"]).toBeUndefined();
  });

  it("undoes a phase more", () => {
    const one = { "phases.0.until": "1", "phases.0.mask_share": "a" };
    expect(withOneLess(withOneMore(one, 1), 2, 1)).toEqual(one);
    expect(withOneLess(withOneMore(one, 1), 2, 0)).toEqual(one);
  });
});

describe("a stretch", () => {
  it("is unknown where the ends are no shares, or not one after another", () => {
    expect(stretch({ "phases.0.until": "x" }, 0)).toBeNull();
    expect(stretch({ "phases.0.until": "1,5" }, 0)).toBeNull();
    expect(stretch({ "phases.0.until": "0.5", "phases.1.until": "0.5" }, 1)).toBeNull();
  });
});
