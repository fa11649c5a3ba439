// Tokens as a reader sees them: their label, and which of them are parts of one word.
import type { Token } from "../protocol/types";

const LETTER = /[\p{L}\p{N}\p{M}_]/u;

/** Characters without a shape: joiners, marks of direction, variation selectors, fillers. */
const UNSEEN =
  /^(?:\p{Cf}|[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0]|[\u{e0100}-\u{e01ef}])+$/u;

const codePoints = (text: string): string =>
  Array.from(text, (sign) => {
    const number = sign.codePointAt(0) as number;
    return `U+${number.toString(16).toUpperCase().padStart(4, "0")}`;
  }).join(" ");

/** What a token's box says: its text without the space before it; a sign, or the numbers of
 * the characters, where nothing shows. Of a character in several tokens it says which part. */
export function label(token: Token): string {
  const text = shapeOf(token);
  return token.piece ? `${text} ${token.piece}` : text;
}

function shapeOf(token: Token): string {
  const seen = token.text.trim();
  if (seen !== "") return UNSEEN.test(seen) ? codePoints(seen) : seen;
  if (token.text.includes("\n")) return "↵";
  return token.text === "" ? "∅" : "␣";
}

/** Does `token` continue the word that `before` ends in? */
export function continues(before: Token, token: Token): boolean {
  if (before.special || token.special) return false;
  if (before.end === null || token.start === null) return false;
  if (token.start < before.end) return true; // bytes of one character
  if (token.start > before.end) return false;
  return LETTER.test(before.text.slice(-1)) && LETTER.test(token.text.slice(0, 1));
}

/** The positions of the tokens, word by word. */
export function words(tokens: readonly Token[]): number[][] {
  const groups: number[][] = [];
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const last = groups.at(-1);
    if (before && last && continues(before, token)) last.push(index);
    else groups.push([index]);
  });
  return groups;
}

/** The token looked at first: where the longest word begins, which says more than the first. */
export function firstSource(tokens: readonly Token[]): number {
  const length = (group: number[]): number =>
    group.reduce((sum, index) => {
      const token = tokens[index] as Token;
      return sum + (token.special ? 0 : shapeOf(token).length);
    }, 0);
  let longest: number[] = [0];
  for (const group of words(tokens.slice(0, 256)).slice(0, 64)) {
    if (length(group) > length(longest)) longest = group;
  }
  return longest[0] ?? 0;
}

/**
 * Does `after` begin with the characters of `before` up to and with its token `token`?
 * Then that token is still there while its reader goes on writing.
 */
export function stillThere(
  before: { text: string; tokens: readonly Token[] },
  after: { text: string },
  token: number,
): boolean {
  if (before.text === after.text) return true;
  const end = before.tokens[token]?.end ?? 0;
  // Offsets count characters, not the halves that JavaScript counts.
  const written = (text: string): string => Array.from(text).slice(0, end).join("");
  return end > 0 && written(before.text) === written(after.text);
}

/** Where the source token stands after a change of model: the token that holds its character. */
export function sameSource(before: readonly Token[], after: readonly Token[], token: number): number {
  const old = before[token];
  if (!old) return firstSource(after);
  const start = old.start;
  const found = after.findIndex((candidate) =>
    start === null
      ? candidate.special && candidate.text === old.text
      : candidate.start !== null && candidate.end !== null && candidate.end > start,
  );
  return found >= 0 ? found : firstSource(after);
}
