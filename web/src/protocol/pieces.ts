// The bytes of one character, told apart: tokens that share a span of text would look alike.
import type { Token } from "./types";

/** The tokens, those that share one span (the bytes of an emoji) numbered: "1/4", "2/4" … */
export function withPieces(tokens: readonly Token[]): Token[] {
  const marked = [...tokens];
  for (let first = 0; first < tokens.length; ) {
    const begins = tokens[first];
    let end = first + 1;
    while (begins && sharesSpan(begins, tokens[end])) end += 1;
    const count = end - first;
    for (let at = first; count > 1 && at < end; at += 1) {
      marked[at] = { ...(tokens[at] as Token), piece: `${at - first + 1}/${count}` };
    }
    first = end;
  }
  return marked;
}

function sharesSpan(one: Token, other: Token | undefined): boolean {
  if (!other || one.special || other.special || one.start === null || one.start === one.end) return false;
  return one.start === other.start && one.end === other.end;
}
