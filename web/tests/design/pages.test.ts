import { describe, expect, it } from "vitest";

import { pageOf } from "../../src/design/pages";

describe("pageOf", () => {
  it("holds the position, and pages do not overlap", () => {
    expect(pageOf(0, 1000, 512)).toEqual({ first: 0, end: 512 });
    expect(pageOf(511, 1000, 512)).toEqual({ first: 0, end: 512 });
    expect(pageOf(512, 1000, 512)).toEqual({ first: 512, end: 1000 });
  });

  it("stays inside the list", () => {
    expect(pageOf(-1, 30, 512)).toEqual({ first: 0, end: 30 });
    expect(pageOf(9999, 1000, 512)).toEqual({ first: 512, end: 1000 });
    expect(pageOf(0, 0, 512)).toEqual({ first: 0, end: 0 });
  });
});
