import { describe, expect, it } from "vitest";

import { DEFAULTS, readWritePlace, writeWritePlace, type WritePlace } from "../../src/write/address";
import { weightsOf } from "../../src/write/attention";
import { byteSize } from "../../src/write/bytes";
import { nearest, TOP_KS } from "../../src/write/dials";
import { nameOf, parts } from "../../src/write/names";

const full: WritePlace = {
  model: "vitral-es-gpt",
  text: "Había una vez & más",
  settings: { temperature: 1.25, top_k: 37, top_p: null, min_p: 0.05, repetition_penalty: 1.2 },
  seed: 123456789,
  tokens: 80,
  stop: [".", "\n"],
  windowed: true,
  layer: 2,
  head: 0,
  mode: "race",
  language: "es",
  theme: "dark",
};

describe("the address", () => {
  it("is read as it was written", () => {
    expect(readWritePlace(writeWritePlace(full))).toEqual(full);
    const plain = readWritePlace("");
    expect(plain.settings).toEqual(DEFAULTS);
    expect(readWritePlace(writeWritePlace(plain))).toEqual(plain);
  });

  it("takes no nonsense", () => {
    const place = readWritePlace(
      "?temperature=-1&top_k=2.5&top_p=7&min_p=x&repetition_penalty=&seed=-3&tokens=0&layer=1e9&mode=z",
    );
    expect(place).toEqual(readWritePlace(""));
  });
});

describe("the top-k dial", () => {
  it("has a place for every k", () => {
    expect(TOP_KS.map((k) => TOP_KS[nearest(k)])).toEqual([...TOP_KS]);
    expect(TOP_KS[nearest(37)]).toBe(40);
    expect(nearest(null)).toBe(TOP_KS.length);
    expect(nearest(9999)).toBe(TOP_KS.length - 1);
  });
});

describe("names", () => {
  const piece = (text: string, name: string | null = null) => ({ id: 1, piece: text, name });

  it("show what would not be seen", () => {
    expect(nameOf(piece(" gato"))).toBe("gato");
    expect(nameOf(piece(" "))).toBe("·");
    expect(nameOf(piece("\n"))).toBe("↵");
    expect(nameOf(piece("", "F0 9F"))).toBe("⟨F0 9F⟩");
    expect(nameOf(piece(""))).toBe("∅");
    expect(parts(piece(" gato")).map((part) => part.kind)).toEqual(["sign", "text"]);
    expect(parts(piece("la casa")).map((part) => part.text)).toEqual(["la casa"]);
  });
});

describe("weights", () => {
  const line = (attention: number[]) => ({
    token: { id: 1, piece: "a", name: null },
    share: 1,
    log_probability: 0,
    rank: 1,
    candidates: [],
    attention,
    start: 3,
    cache_bytes: 0,
  });

  it("are the newest line's while a text is written", () => {
    expect(weightsOf(null, false, line([0.25, 0.75]), 6)).toEqual({
      start: 3,
      values: [0.25, 0.75],
      most: 0.75,
    });
    expect(weightsOf(null, false, line([]), 6)).toBeNull();
    expect(weightsOf(null, true, null, 6)).toBeNull();
  });
});

describe("sizes", () => {
  it("are in decimal units", () => {
    const format = (value: number, digits: number): string => value.toFixed(digits);
    expect([999, 4608, 1_179_648, 250_000_000].map((size) => byteSize(size, format))).toEqual([
      "999 B",
      "4.6 kB",
      "1.2 MB",
      "250 MB",
    ]);
  });
});
