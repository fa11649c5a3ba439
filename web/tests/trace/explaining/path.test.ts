import { describe, expect, it } from "vitest";

import { apart, chosenPaths, frame, sameWord } from "../../../src/trace/explaining/path";

describe("frame", () => {
  const points = [[0, 0], [10, 5]] as const;
  const within = frame(points, 220, 120, 10);

  it("keeps all points within the margin, up being up, with one scale for both directions", () => {
    expect(within.place([0, 0])).toEqual([10, 110]);
    expect(within.place([10, 5])).toEqual([210, 10]);
    const [[left, low], [right, high]] = [within.place([0, 0]), within.place([2, 2])];
    expect(right - left).toBeCloseTo(low - high);
  });

  it("knows what lies outside", () => {
    expect(within.inside([5, 2])).toBe(true);
    expect(within.inside([30, 2])).toBe(false);
  });

  it("stands in the middle where all points are one", () => {
    expect(frame([[3, 3], [3, 3]], 200, 100, 10).place([3, 3])).toEqual([100, 50]);
  });
});

describe("chosenPaths", () => {
  it("are the text's token and the other text's", () => {
    const paths = ([[0, 1], [0, 2], [1, 1], [1, 4]] as const).map(([text, token]) => {
      return { text, token, points: [] };
    });
    expect(chosenPaths(paths, 2, 4)).toEqual([paths[1], paths[3]]);
    expect(chosenPaths(paths, 2, null)).toEqual([paths[1]]);
  });
});

describe("apart", () => {
  it("drops a label that would lie on an earlier one", () => {
    const labels = [
      { text: "gato", at: [50, 50] as const },
      { text: "perro", at: [55, 52] as const },
      { text: "calle", at: [55, 80] as const },
    ];
    expect(apart(labels, 7, 14).map((each) => each.text)).toEqual(["gato", "calle"]);
  });
});

describe("sameWord", () => {
  const words = ["[CLS]", "El", " banco", "del", "Banco", "[SEP]"].map((text) => {
    return { text, special: text.startsWith("[") };
  });

  it("is the one with the same letters that stands nearest", () => {
    expect(sameWord(words, "banco", 1)).toBe(2);
    expect(sameWord(words, "banco", 5)).toBe(4);
  });

  it("is the nearest token where no word is the same, and never a special one", () => {
    expect(sameWord(words, "gato", 3)).toBe(3);
    expect(sameWord(words, "gato", 0)).toBe(1);
    expect(sameWord([], "gato", 3)).toBe(0);
  });
});
