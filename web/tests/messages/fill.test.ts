import { describe, expect, it } from "vitest";

import { fill, pieces } from "../../src/messages/fill";

describe("fill", () => {
  it("fills placeholders as Python does", () => {
    expect(fill("{length} > {context}, {{so}}", { length: 300, context: 256 })).toBe(
      "300 > 256, {so}",
    );
    expect(fill("{known}", { known: ["a", "b"] })).toBe("a, b");
  });

  it("never fills twice", () => {
    expect(fill("«{source}»", { source: "{key}", key: "no" })).toBe("«{key}»");
  });

  it("leaves what has no value in sight", () => {
    expect(fill("{missing}", {})).toBe("{missing}");
  });
});

describe("pieces", () => {
  it("sets what is filled apart, and joins to the whole sentence", () => {
    const template = "«{source}» mira a «{key}»: {weight}";
    const values = { source: "que", key: "El", weight: "0,25" };
    const parts = pieces(template, values);
    expect(parts.map((part) => part.text).join("")).toBe(fill(template, values));
    expect(parts.filter((part) => part.name).map((part) => part.name)).toEqual([
      "source",
      "key",
      "weight",
    ]);
  });
});
