import { describe, expect, it } from "vitest";

import type { Token } from "../../src/protocol/types";
import { continues, firstSource, label, sameSource, stillThere, words } from "../../src/trace/words";

/** Tokens of a text cut at the bars; [names] are special. */
function tokens(cut: string): Token[] {
  let at = 0;
  return cut.split("|").map((text, id) => {
    const special = /^\[.+\]$/.test(text);
    if (special) return { id, text, start: null, end: null, special };
    const start = at + (text.startsWith("_") ? 1 : 0);
    const shown = text.replace(/^_/, "");
    at = start + shown.length;
    return { id, text: shown, start, end: at, special };
  });
}

const bert = tokens("[CLS]|El|_perro|_que|_persigu|ió|_al|_gato|.|[SEP]");

describe("words", () => {
  it("joins the parts of one word and nothing else", () => {
    expect(words(bert)).toEqual([[0], [1], [2], [3], [4, 5], [6], [7], [8], [9]]);
  });

  it("joins tokens that share a character's bytes", () => {
    const half = { id: 0, text: "ñ", start: 2, end: 3, special: false };
    expect(continues(half, { ...half, id: 1 })).toBe(true);
  });

  it("keeps tokens apart that begin with their space", () => {
    const el = { id: 0, text: "El", start: 0, end: 2, special: false };
    expect(continues(el, { id: 1, text: " perro", start: 2, end: 8, special: false })).toBe(false);
  });
});

describe("label", () => {
  it.each([
    [" perro", "perro"],
    ["\n\n", "↵"],
    ["  ", "␣"],
    ["", "∅"],
    ["\u200d", "U+200D"],
    ["\u200f\ufe0f", "U+200F U+FE0F"],
    ["a\u200d", "a\u200d"],
  ])("shows %j as %j", (text, shown) => {
    expect(label({ id: 0, text, start: 0, end: text.length, special: false })).toBe(shown);
  });
});

describe("the source token", () => {
  it("begins at the longest word", () => {
    expect(firstSource(bert)).toBe(4);
    expect(firstSource(tokens("[CLS]|[SEP]"))).toBe(0);
  });

  it("stays on its character when the model changes", () => {
    const gpt = tokens("El|_pe|rro|_que|_persiguió|_al|_gato|.");
    expect(sameSource(bert, gpt, 5)).toBe(4);
    expect(sameSource(bert, gpt, 2)).toBe(1);
    expect(sameSource(gpt, bert, 7)).toBe(8);
  });

  it("stays while its reader goes on writing after it", () => {
    const before = { text: "El 🐕 que persigue", tokens: tokens("El|_🐕|_que|_persigue") };
    // Studio counts the dog as one character, JavaScript as two.
    before.tokens = before.tokens.map((token, index) => ({
      ...token,
      start: [0, 3, 5, 9][index] ?? 0,
      end: [2, 4, 8, 17][index] ?? 0,
    }));
    expect(stillThere(before, { text: "El 🐕 que persigue al gato" }, 3)).toBe(true);
    expect(stillThere(before, { text: "El 🐕 que muerde" }, 2)).toBe(true);
    expect(stillThere(before, { text: "El 🐕 que muerde" }, 3)).toBe(false);
  });

  it("stays on a special token where there is one", () => {
    expect(sameSource(bert, tokens("[CLS]|Hola|[SEP]"), 9)).toBe(2);
    expect(sameSource(bert, tokens("Hola|_amigo"), 9)).toBe(1);
  });
});
