// The bytes of one character are told apart.
import { expect, test } from "vitest";

import { withPieces } from "../../src/protocol/pieces";
import type { Token } from "../../src/protocol/types";
import { label } from "../../src/trace/words";

function token(text: string, start: number | null, special = false): Token {
  return { id: 0, text, start, end: start === null ? null : start + 1, special };
}

const said = (tokens: Token[]): string[] => withPieces(tokens).map(label);

test("bytes that share a character say which part they are", () => {
  const bytes = [0, 1, 2, 3].map(() => token("😀", 1));
  const all = [token("a", 0), ...bytes, token("漢", 2), token("漢", 2)];
  expect(said(all)).toEqual(["a", "😀 1/4", "😀 2/4", "😀 3/4", "😀 4/4", "漢 1/2", "漢 2/2"]);
});

test("tokens of their own, special tokens and tokens without a place stay as they are", () => {
  expect(said([token("a", 0), token("a", 1)])).toEqual(["a", "a"]);
  expect(said([token("[CLS]", null), token("[CLS]", null)])).toEqual(["[CLS]", "[CLS]"]);
  expect(said([token("<s>", 0, true), token("<s>", 0, true)])).toEqual(["<s>", "<s>"]);
  expect(said([])).toEqual([]);
});
