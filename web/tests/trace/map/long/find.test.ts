import { describe, expect, it } from "vitest";

import type { Token } from "../../../../src/protocol/types";
import { find } from "../../../../src/trace/map/long/find";

/** Tokens of at most three characters each, and one that the model adds. */
function tokensOf(text: string): Token[] {
  const characters = Array.from(text);
  const tokens: Token[] = [{ id: 2, text: "[CLS]", start: null, end: null, special: true }];
  for (let start = 0; start < characters.length; start += 3) {
    const end = Math.min(characters.length, start + 3);
    tokens.push({ id: 1, text: characters.slice(start, end).join(""), start, end, special: false });
  }
  return tokens;
}

describe("find", () => {
  it("names the token that each place begins in, capitals or not", () => {
    const text = "El Gato y el gato.";
    const { places, count } = find(text, tokensOf(text), "gato");
    expect(count).toBe(2);
    expect(places.map((place) => place.token)).toEqual([2, 5]);
    expect(places[0]).toMatchObject({ before: "El ", match: "Gato" });
  });

  it("counts characters, not halves of them", () => {
    const text = "🐧🐧🐧 ñu ñu";
    expect(find(text, tokensOf(text), "ñu").places.map((place) => place.token)).toEqual([2, 3]);
  });

  it("takes signs for themselves", () => {
    const text = "¿Qué? (sí)";
    expect(find(text, tokensOf(text), "?").count).toBe(1);
    expect(find(text, tokensOf(text), "(s").count).toBe(1);
    expect(find(text, tokensOf(text), ".*").count).toBe(0);
    expect(find(text, tokensOf(text), "  ").count).toBe(0);
  });

  it("finds special tokens by their name", () => {
    expect(find("hola", tokensOf("hola"), "[cls]").places.map((place) => place.token)).toEqual([0]);
  });

  it("counts all places and lists the first", () => {
    const text = "a ".repeat(1000);
    const { places, count } = find(text, tokensOf(text), "a");
    expect([places.length, count]).toEqual([200, 1000]);
  });
});
