import { describe, expect, it } from "vitest";

import type { Token } from "../../../src/protocol/types";
import { align, sideOf, type Side } from "../../../src/trace/compare/alignment";
import { tokensOf, traceOf } from "../traced";

/** A side whose tokens are `parts` of the text in order; "[…]" is added, "_" a space before. */
function side(text: string, parts: string[]): Side {
  let at = 0;
  const characters = Array.from(text);
  const tokens = parts.map((part, id): Token => {
    if (/^(\[\w+\]|<\w+>)$/.test(part)) return { id, text: part, start: null, end: null, special: true };
    const spaced = part.startsWith("_");
    const wanted = Array.from(part.replaceAll("_", " "));
    while (!spaced && characters[at] === " ") at += 1;
    const start = at;
    at += wanted.length;
    expect(characters.slice(start, at)).toEqual(wanted);
    return { id, text: wanted.join(""), start, end: at, special: false };
  });
  return { text, tokens };
}

function shape(left: Side, right: Side): [number[], number[], string][] | null {
  return align(left, right)?.pieces.map((piece) => [piece.left, piece.right, piece.label]) ?? null;
}

describe("equal tokens", () => {
  it("are paired one to one", () => {
    const one = side("El gato.", ["[CLS]", "El", "gato", ".", "[SEP]"]);
    const found = align(one, one);
    expect(found?.manner).toBe("tokens");
    expect(found?.pieces.map((piece) => piece.left)).toEqual([[0], [1], [2], [3], [4]]);
    expect(found?.pieces.map((piece) => piece.right)).toEqual([[0], [1], [2], [3], [4]]);
  });
});

describe("one text in two ways", () => {
  const bert = side("El niño persiguió 𝔸.", ["[CLS]", "El", "niño", "persi", "guió", "𝔸", ".", "[SEP]"]);
  const gpt = side("El niño persiguió 𝔸.", ["<s>", "El", "_ni", "ño", "_pers", "iguió", "_𝔸", "."]);

  it("is cut where both end a token, whatever they do with spaces", () => {
    expect(shape(bert, gpt)).toEqual([
      [[1], [1], "El"],
      [[2], [2, 3], "niño"],
      [[3, 4], [4, 5], "persiguió"],
      [[5], [6], "𝔸"],
      [[6], [7], "."],
    ]);
    expect(align(bert, gpt)?.manner).toBe("characters");
    expect(align(bert, gpt)?.leftOut).toEqual(["[CLS]", "[SEP]", "<s>"]);
  });

  it("is the same seen from the other side", () => {
    const turned = align(gpt, bert)?.pieces.map((piece) => [piece.right, piece.left, piece.label]);
    expect(turned).toEqual(shape(bert, gpt));
  });

  it("keeps the bytes of one character together", () => {
    const whole = side("añ", ["a", "ñ"]);
    const bytes: Side = {
      text: "añ",
      tokens: [
        { id: 0, text: "a", start: 0, end: 1, special: false },
        { id: 1, text: "ñ", start: 1, end: 2, special: false },
        { id: 2, text: "ñ", start: 1, end: 2, special: false },
      ],
    };
    expect(shape(whole, bytes)).toEqual([
      [[0], [0], "a"],
      [[1], [1, 2], "ñ"],
    ]);
  });

  it("puts a token without ink with what follows", () => {
    const lines = side("a\nb", ["a", "\n", "b"]);
    const bare = side("a\nb", ["a", "\nb"]);
    expect(shape(lines, bare)?.map(([left, right]) => [left, right])).toEqual([
      [[0], [0]],
      [[1, 2], [1]],
    ]);
  });
});

describe("two texts", () => {
  const closed = side("El banco estaba cerrado hoy.", ["[CLS]", "El", "banco", "estaba", "cerr", "ado", "hoy", ".", "[SEP]"]);
  const green = side("El banco estaba verde hoy.", ["[CLS]", "El", "banco", "estaba", "verde", "hoy", ".", "[SEP]"]);

  it("are paired at their ends, and what differs is one piece", () => {
    expect(shape(closed, green)).toEqual([
      [[0], [0], "[CLS]"],
      [[1], [1], "El"],
      [[2], [2], "banco"],
      [[3], [3], "estaba"],
      [[4, 5], [4], "cerrado → verde"],
      [[6], [5], "hoy"],
      [[7], [6], "."],
      [[8], [7], "[SEP]"],
    ]);
    expect(align(closed, green)).toMatchObject({ manner: "ends", leftOut: [] });
  });

  it("leave out a word that only one of them has", () => {
    const more = side("El gran banco.", ["El", "gran", "banco", "."]);
    const less = side("El banco.", ["El", "banco", "."]);
    expect(shape(more, less)).toEqual([
      [[0], [0], "El"],
      [[2], [1], "banco"],
      [[3], [2], "."],
    ]);
    expect(align(more, less)?.leftOut).toEqual(["gran"]);
    expect(align(less, more)?.leftOut).toEqual(["gran"]);
  });

  it("that share nothing at their ends cannot be paired", () => {
    const other = side("Llueve mucho", ["[CLS]", "Llueve", "mucho", "[SEP]"]);
    expect(align(closed, other)).toBeNull();
  });

  it("cover every token once, with those left out", () => {
    for (const [one, two] of [
      [closed, green],
      [green, closed],
    ] as const) {
      const found = align(one, two);
      expect(found?.pieces.flatMap((piece) => piece.left).sort((a, b) => a - b)).toEqual([...one.tokens.keys()]);
      expect(found?.pieces.flatMap((piece) => piece.right).sort((a, b) => a - b)).toEqual([...two.tokens.keys()]);
    }
  });
});

describe("an encoder–decoder's answer", () => {
  const decoder_tokens = tokensOf("[SEP]|The| dog| runs|[SEP]");
  const written = decoder_tokens.map((token) => ({ ...token, start: null, end: null }));

  it("that was given has its places in what the reader wrote", () => {
    const answer = { text: "The dog runs", given: true, ended: true };
    const trace = traceOf(tokensOf("El| perro"), { decoder_tokens, answer });
    expect(sideOf(trace, "tokens")).toEqual({ text: "El perro", tokens: trace.tokens });
    expect(sideOf(trace, "decoder_tokens")).toEqual({ text: "The dog runs", tokens: decoder_tokens });
  });

  it("that the model wrote is its tokens, one after the other", () => {
    const answer = { text: "The dog runs", given: false, ended: true };
    const one = traceOf(tokensOf("El"), { decoder_tokens: written, answer });
    expect(sideOf(one, "decoder_tokens")).toEqual({ text: "The dog runs", tokens: decoder_tokens });
    const longer = tokensOf("[SEP]|The| old| dog| runs").map((token) => ({ ...token, start: null, end: null }));
    const other = traceOf(tokensOf("El"), { decoder_tokens: longer, answer });
    const found = align(sideOf(one, "decoder_tokens"), sideOf(other, "decoder_tokens"));
    expect(found?.pieces.map((piece) => [piece.left, piece.right])).toEqual([
      [[0], [0]],
      [[1], [1]],
      [[2], [3]],
      [[3], [4]],
    ]);
    expect(found?.leftOut).toContain("old");
  });
});
