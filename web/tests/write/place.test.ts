import { describe, expect, it } from "vitest";

import { DEFAULTS, readWritePlace, writeWritePlace, type WritePlace } from "../../src/write/address";
import { ordered, weightsOf } from "../../src/write/attention";
import { byteSize } from "../../src/write/bytes";
import { nearest, TOP_KS } from "../../src/write/dials";
import { answers, writes } from "../../src/write/kinds";
import { nameOf, parts } from "../../src/write/names";

const full: WritePlace = {
  model: "vitral-es-gpt",
  text: "Había una vez & más",
  settings: { temperature: 1.25, top_k: 37, top_p: null, min_p: 0.05, repetition_penalty: 1.2 },
  seed: 123456789,
  tokens: 80,
  stop: [".", "\n"],
  windowed: true,
  chat: true,
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
  const line = (attention: number[], cross: number[] = []) => ({
    token: { id: 1, piece: "a", name: null },
    share: 1,
    log_probability: 0,
    rank: 1,
    candidates: [],
    attention,
    cross,
    start: 3,
    cache_bytes: 0,
  });
  const nothing = { own: null, cross: null };

  it("are the newest line's while a text is written", () => {
    const own = { start: 3, values: [0.25, 0.75], most: 0.75 };
    expect(weightsOf(null, false, line([0.25, 0.75]), 6)).toEqual({ own, cross: null });
    expect(weightsOf(null, false, line([]), 6)).toEqual(nothing);
    expect(weightsOf(null, true, null, 6)).toEqual(nothing);
  });

  it("on what an encoder read begin with its first token, whatever the decoder forgot", () => {
    const cross = { start: 0, values: [0.5, 0.4, 0.1], most: 0.5 };
    expect(weightsOf(null, false, line([0.25, 0.75], [0.5, 0.4, 0.1]), 6).cross).toEqual(cross);
    expect(weightsOf(null, false, line([], [0.5, 0.4, 0.1]), 6)).toEqual({ own: null, cross });
  });

  it("of a place are not shown at another", () => {
    const seen = {
      logits: new Float32Array(2),
      row: Float32Array.of(0.5, 0.5),
      cross: Float32Array.of(1),
      prompt: [],
      opening: [],
      written: [],
      start: 0,
      context: null,
      cache_bytes: 0,
      ended: null,
      num_layers: 1,
      num_heads: 1,
      layer: null,
      head: null,
    };
    expect(weightsOf(seen, true, null, 2).cross?.values).toEqual(seen.cross);
    expect(weightsOf(seen, true, null, 1)).toEqual(nothing);
    expect(weightsOf(seen, false, null, 2)).toEqual(nothing);
  });

  it("are listed with the greatest first", () => {
    expect(ordered({ start: 2, values: [0.1, 0.7, 0.1], most: 0.7 })).toEqual([
      { index: 3, weight: 0.7 },
      { index: 2, weight: 0.1 },
      { index: 4, weight: 0.1 },
    ]);
  });
});

describe("kinds", () => {
  it("are those that write, and among them those that answer", () => {
    const card = (kind: string) => ({
      name: "m",
      title: "M",
      kind,
      reads: kind === "image" ? ("picture" as const) : ("text" as const),
      num_layers: 1,
      num_heads: 1,
      context: null,
      architecture: "",
      bundled: false,
      chats: false,
    });
    const kinds = ["decoder", "encoder-decoder", "encoder", "image"].map(card);
    expect(kinds.filter(writes).map(({ kind }) => kind)).toEqual(["decoder", "encoder-decoder"]);
    expect(kinds.filter(answers).map(({ kind }) => kind)).toEqual(["encoder-decoder"]);
    expect(answers(null)).toBe(false);
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
