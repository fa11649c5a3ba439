import { describe, expect, it } from "vitest";

import { portionOf } from "../../src/explore/portion";

describe("portionOf", () => {
  it("holds the position, and portions do not overlap", () => {
    expect(portionOf(0, 1000, 512)).toEqual({ first: 0, end: 512 });
    expect(portionOf(511, 1000, 512)).toEqual({ first: 0, end: 512 });
    expect(portionOf(512, 1000, 512)).toEqual({ first: 512, end: 1000 });
  });

  it("stays inside the list", () => {
    expect(portionOf(-1, 30, 512)).toEqual({ first: 0, end: 30 });
    expect(portionOf(9999, 1000, 512)).toEqual({ first: 512, end: 1000 });
    expect(portionOf(0, 0, 512)).toEqual({ first: 0, end: 0 });
  });
});
