import { describe, expect, it } from "vitest";

import type { Token } from "../../src/protocol/types";
import { firstHead } from "../../src/trace/first_head";
import { firstSource } from "../../src/trace/words";
import cases from "./first_look.json";

const tokens: Token[] = ["[CLS]", "El", "perro", "que", "huye", "[SEP]"].map((text, id) => ({
  id,
  text,
  start: id,
  end: id + 1,
  special: text.startsWith("["),
}));
const side = tokens.length;

/** A map with full weight where `looks(query)` says. */
function map(looks: (query: number) => number): number[] {
  return Array.from({ length: side * side }, (_, cell) =>
    looks(Math.floor(cell / side)) === cell % side ? 255 : 0,
  );
}

const parked = map(() => side - 1);
const neighbour = map((query) => Math.max(0, query - 1));
const far = map((query) => (query + 2) % side);

function maps(heads: number[][]): Parameters<typeof firstHead>[0] {
  return {
    height: side,
    width: side,
    values: Uint8Array.from(heads.flat()),
    scale: [
      [1, 1],
      [1, 1],
    ],
    aggregated: false,
  };
}

describe("firstHead", () => {
  it("is the one whose words look at words further off", () => {
    expect(firstHead(maps([parked, neighbour, parked, far]), tokens, 2)).toEqual({ layer: 1, head: 1 });
    expect(firstHead(maps([far, neighbour, parked, parked]), tokens, 2)).toEqual({ layer: 0, head: 0 });
  });

  it("passes over a word that all of them look at", () => {
    const stop = map(() => 4);
    expect(firstHead(maps([stop, stop, stop, far]), tokens, 2)).toEqual({ layer: 1, head: 1 });
  });

  it("listens to the source token above all", () => {
    const others = map((query) => (query === 2 ? query + 1 : (query + 2) % side));
    const source = map((query) => (query === 2 ? 4 : query === 1 ? 3 : query));
    expect(firstHead(maps([others, source, parked, parked]), tokens, 2)).toEqual({ layer: 0, head: 1 });
  });

  it("counts weights, not each head's own scale", () => {
    const weak = { ...maps([far, far, parked, parked]), scale: [[0.2, 0.9], [1, 1]] };
    expect(firstHead(weak, tokens, 2)).toEqual({ layer: 0, head: 1 });
  });

  it("is the middle layer's first where nothing tells them apart", () => {
    expect(firstHead(maps([parked, parked, parked, parked]), tokens, 2)).toEqual({ layer: 1, head: 0 });
  });

  it("looks at cells where they are pooled", () => {
    // Two tokens a cell: those at 4 and 5 are in the third.
    const longer = [...tokens, ...tokens];
    const third = map((query) => (query === 2 ? 5 : query));
    const last = map((query) => (query === 5 ? 2 : query));
    const pooled = { ...maps([parked, third, last, neighbour]), aggregated: true };
    for (const source of [4, 5]) {
      expect(firstHead(pooled, longer, source)).toEqual({ layer: 0, head: 1 });
    }
    expect(firstHead(pooled, longer, 11)).toEqual({ layer: 1, head: 0 });
  });
});

describe("the first look", () => {
  // A notebook's Python chooses as well, by the same cases: test_notebook_first_look.py.
  it.each(cases)("is the same in Python: $layer, $head", (known) => {
    const weights = known.thousandths;
    const scale = weights.map((heads) => heads.map((rows) => Math.max(...rows.flat()) / 1000));
    const values = weights.flatMap((heads, layer) =>
      heads.flatMap((rows, head) =>
        rows.flat().map((cell) => Math.round((255 * cell) / 1000 / (scale[layer]?.[head] ?? 1))),
      ),
    );
    const keys = "keys" in known && known.keys ? known.keys : known.tokens;
    const size = { height: known.tokens.length, width: keys.length };
    const found = { ...size, values: Uint8Array.from(values), scale, aggregated: false };
    expect(firstSource(known.tokens)).toBe(known.source);
    expect(firstHead(found, known.tokens, known.source, keys)).toEqual({
      layer: known.layer,
      head: known.head,
    });
  });
});
