// Finding words of a long text, and the tokens that they stand in.
import type { Token } from "../../../protocol/types";

export interface Found {
  /** The token in which what was sought begins. */
  token: number;
  before: string;
  match: string;
  after: string;
}

export interface Finding {
  places: Found[];
  /** All of them; `places` are the first. */
  count: number;
}

const MOST = 200;
const CONTEXT = 24;

/** Places of the text where `sought` stands, capitals or not, and special tokens of that name. */
export function find(text: string, tokens: readonly Token[], sought: string): Finding {
  const wanted = sought.trim();
  const places: Found[] = [];
  let count = 0;
  if (wanted === "") return { places, count };
  const expression = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  const starts = startsOf(tokens);
  let [read, characters] = [0, 0];
  for (const found of text.matchAll(expression)) {
    count += 1;
    if (places.length === MOST) continue;
    characters += charactersOf(text, read, found.index);
    read = found.index;
    const token = holding(tokens, starts, characters);
    if (token === null) continue;
    const end = read + found[0].length;
    places.push({
      token,
      before: text.slice(Math.max(0, read - CONTEXT), read).replace(/\s+/g, " "),
      match: found[0],
      after: text.slice(end, end + CONTEXT).replace(/\s+/g, " "),
    });
  }
  tokens.forEach((token, index) => {
    if (token.start !== null || token.text.toLowerCase() !== wanted.toLowerCase()) return;
    count += 1;
    if (places.length < MOST) places.push({ token: index, before: "", match: token.text, after: "" });
  });
  return { places, count };
}

/** The positions of the tokens that stand in the text, in their order. */
function startsOf(tokens: readonly Token[]): number[] {
  const placed: number[] = [];
  tokens.forEach((token, index) => {
    if (token.start !== null) placed.push(index);
  });
  return placed;
}

/** The token that holds a character; offsets of tokens count characters, not halves of them. */
function holding(tokens: readonly Token[], placed: number[], character: number): number | null {
  let [low, high] = [0, placed.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[placed[middle] as number]?.end ?? 0) > character) high = middle;
    else low = middle + 1;
  }
  return placed[low] ?? null;
}

/** How many characters stand between two places of a string: its halves of pairs count once. */
function charactersOf(text: string, from: number, to: number): number {
  let count = to - from;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0xdc00 && code <= 0xdfff) count -= 1;
  }
  return count;
}
