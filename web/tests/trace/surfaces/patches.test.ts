import { describe, expect, it } from "vitest";

import type { Part, PictureSurface, Token, Trace } from "../../../src/protocol/types";
import { kindOf, kindShown, SURFACES } from "../../../src/trace/surfaces/kinds";
import { Patches } from "../../../src/trace/surfaces/patches";
import { middlePatch } from "../../../src/trace/surfaces/picture_tokens";

const surface: PictureSurface = {
  kind: "picture",
  width: 34,
  height: 24,
  rows: 3,
  columns: 4,
  name: "foto.png",
  original: null,
  seen: null,
  notes: [],
};

function mark(text: string): Token {
  return { id: 0, text, start: null, end: null, special: true };
}

/** [CLS], 3 × 4 patches of 8 pixels, and a detection token. */
const tokens: Token[] = [
  mark("[CLS]"),
  ...Array.from({ length: 12 }, (_, at): Token => {
    const [row, column] = [Math.floor(at / 4), at % 4];
    const [left, top] = [column * 8, row * 8];
    const patch = { row, column, left, top, right: left + 8, bottom: top + 8 };
    return { id: at + 1, text: `${row},${column}`, start: null, end: null, special: false, patch };
  }),
  mark("[DET]"),
];

const patches = new Patches(surface, tokens);

function key(name: string): KeyboardEvent {
  return { key: name } as KeyboardEvent;
}

describe("the patches of a picture", () => {
  it("say where a token is, and which token is here", () => {
    expect(patches.placeOf(7)).toMatchObject({ row: 1, column: 2, left: 16, top: 8 });
    expect(patches.placeOf(0)).toBeNull();
    expect(patches.tokenAt(16, 8)).toBe(7);
    expect(patches.tokenAt(23.9, 15.9)).toBe(7);
    expect(patches.tokenAt(33, 3)).toBeNull(); // what is left over at the edge
    expect(patches.tokenAt(-1, 3)).toBeNull();
    expect(patches.beside).toEqual([0, 13]);
  });

  it("lay weights out by row and column", () => {
    const painted = patches.paint(tokens.map((_, token) => token / 8));
    expect([...painted]).toEqual(Array.from({ length: 12 }, (_, at) => (at + 1) / 8));
    expect(new Patches(surface, tokens.slice(0, 6)).paint([0, 1, 1, 1, 1, 1])[11]).toBeNaN();
  });

  it("are walked by row and column, and entered from beside", () => {
    expect(patches.moved(key("ArrowRight"), 7)).toBe(8);
    expect(patches.moved(key("ArrowDown"), 7)).toBe(11);
    expect(patches.moved(key("ArrowUp"), 2)).toBe(2);
    expect(patches.moved(key("Home"), 7)).toBe(5);
    expect(patches.moved(key("ArrowDown"), 0)).toBe(1);
    expect(patches.moved(key("ArrowDown"), null)).toBe(1);
    expect(patches.moved(key("a"), 7)).toBeNull();
  });
});

describe("the surface of a list of tokens", () => {
  const part: Part = {
    name: "",
    num_layers: 1,
    layers: [0],
    num_heads: 1,
    causal: false,
    address: "",
    queries: "tokens",
    keys: "tokens",
    num_queries: 10,
    num_keys: 10,
    computed: true,
  };
  const trace = { surface, tokens, decoder_tokens: [], parts: [part] } as unknown as Trace;

  it("is the picture where tokens are its patches, and else a text", () => {
    expect(kindOf(trace, "tokens")).toBe("picture");
    expect(kindOf(trace, "decoder_tokens")).toBe("text");
    expect(kindOf({ ...trace, surface: { kind: "text" } }, "tokens")).toBe("text");
    expect(kindOf({ ...trace, surface: { ...surface, rows: 0 } }, "tokens")).toBe("text");
  });

  it("is drawn on the picture where either side is one", () => {
    const crossed: Part = { ...part, queries: "decoder_tokens" };
    expect(kindShown({ trace, part: crossed })).toBe("picture");
    expect(kindShown({ trace: { ...trace, surface: null }, part })).toBe("text");
  });

  it("names patches in words and begins in the middle", () => {
    const reader = { say: (name: string, values: object) => `${name} ${JSON.stringify(values)}` };
    const named = SURFACES.picture.nameOf(tokens[7] as Token, reader as never);
    expect(named).toBe('studio.picture_patch {"row":1,"column":2}');
    expect(SURFACES.picture.nameOf(tokens[0] as Token, reader as never)).toBe("[CLS]");
    expect(middlePatch(tokens)).toBe(1 + 1 * 4 + 2);
    expect(middlePatch([mark("[CLS]")])).toBe(0);
  });
});
