import { describe, expect, it } from "vitest";

import { fill, pieces } from "../../src/messages/fill";

describe("fill", () => {
  it("fills placeholders as Python does", () => {
    expect(fill("{length} > {context}, {{so}}", { length: 300, context: 256 }, "en")).toBe(
      "300 > 256, {so}",
    );
    expect(fill("{known}", { known: ["a", "b"] }, "en")).toBe("a, b");
  });

  it("writes numbers as the reader does, in lists too, and what the server wrote for both", () => {
    const values = { tokens: 10751, share: 0.9, sizes: [1.5, 10000], free: { en: "1.5 GB", es: "1,5 GB" } };
    const template = "{tokens} {share} {sizes} {free}";
    expect(fill(template, values, "es")).toBe("10.751 0,9 1,5, 10.000 1,5 GB");
    expect(fill(template, values, "en")).toBe("10,751 0.9 1.5, 10,000 1.5 GB");
  });

  it("never fills twice", () => {
    expect(fill("«{source}»", { source: "{key}", key: "no" }, "en")).toBe("«{key}»");
  });

  it("leaves what has no value in sight", () => {
    expect(fill("{missing}", {}, "en")).toBe("{missing}");
  });
});

describe("pieces", () => {
  it("sets what is filled apart, and joins to the whole sentence", () => {
    const template = "«{source}» mira a «{key}»: {weight}";
    const values = { source: "que", key: "El", weight: "0,25" };
    const parts = pieces(template, values, "es");
    expect(parts.map((part) => part.text).join("")).toBe(fill(template, values, "es"));
    expect(parts.filter((part) => part.name).map((part) => part.name)).toEqual([
      "source",
      "key",
      "weight",
    ]);
  });
});
