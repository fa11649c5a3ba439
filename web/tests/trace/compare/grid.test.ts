import { describe, expect, it } from "vitest";

import { axisOf, gridOf, placeOn } from "../../../src/trace/compare/grid";
import type { Patterns } from "../../../src/trace/patterns";
import { partNamed, tokensOf, traceOf } from "../traced";

const tokens = tokensOf("El| gato| duerme| en| la| calle| .");
const { signal } = new AbortController();

describe("an axis", () => {
  it("names each token where there is a place for each", () => {
    const axis = axisOf(tokens, 7);
    expect(axis.names).toBe(tokens);
    expect(placeOn(axis, 3)).toBe(3);
    expect(placeOn(axis, 7)).toBeNull();
    expect(placeOn(axis, null)).toBeNull();
  });

  it("shares tokens out as the server does, and names the ends of each cell", () => {
    const axis = axisOf(tokens, 3);
    expect(axis.edges).toEqual([0, 2, 4, 7]);
    expect(axis.names.map((each) => each.text)).toEqual([
      "0–1 El … gato",
      "2–3 duerme … en",
      "4–6 la … .",
    ]);
    expect([0, 1, 2, 3, 4, 6].map((token) => placeOn(axis, token))).toEqual([0, 0, 1, 1, 2, 2]);
  });
});

describe("a head in cells", () => {
  const trace = traceOf(tokens);

  function patterns(values: number[], height: number, width: number, aggregated: boolean): Patterns {
    const part = partNamed("");
    const cells = { values: Float32Array.from(values), height, width, aggregated };
    return { trace, part, size: 7, width: 7, cells: () => Promise.resolve(cells) } as unknown as Patterns;
  }

  it("has what goes to all the tokens of a cell, so that rows sum to one", async () => {
    const means = [0.25, 0.25, 0, 0.125, 0, 0.25, 0, 0.125, 0.25];
    const grid = await gridOf(patterns(means, 3, 3, true), 0, 0, signal);
    expect([...grid.values]).toEqual([0.5, 0.5, 0, 0.25, 0, 0.75, 0, 0.25, 0.75]);
    expect(grid.exact).toBe(false);
  });

  it("is left as it is where every weight has a cell", async () => {
    const exact = Array.from({ length: 49 }, (_, cell) => (cell % 8 === 0 ? 1 : 0));
    const grid = await gridOf(patterns(exact, 7, 7, false), 0, 0, signal);
    expect([...grid.values]).toEqual(exact);
    expect(grid.exact).toBe(true);
  });
});
