// Which tokens of two texts stand for the same characters.
//
// Spaces are left out of both texts. Where they begin with the same characters, and where they end
// with the same, every place at which a token ends in *both* cuts them; what lies between two cuts
// is a piece, of one or more tokens on each side. So the same text read by two tokenizers falls
// into the smallest pieces that both know, and two texts that differ in some words have these as
// one piece. Tokens that the model adds ([CLS]) are paired by their name. The attention of a piece
// is summed over its tokens as keys and averaged over them as queries, as for words (Clark et al.
// 2019, arXiv:1906.04341, section 4.1): rows still sum to one.
import type { Part, Token, Trace } from "../../protocol/types";
import { label } from "../words";
import type { Axis } from "./grid";

export interface Side {
  text: string;
  tokens: readonly Token[];
}

export interface Piece {
  left: number[];
  right: number[];
  label: string;
  special: boolean;
}

/** "tokens": one to one. "characters": one text in two ways. "ends": two texts, alike at the ends. */
export type Manner = "tokens" | "characters" | "ends";

export interface Alignment {
  pieces: Piece[];
  manner: Manner;
  /** What only one side has, and no difference is taken of. */
  leftOut: string[];
}

/** A text without its spaces, and where its tokens stand in it: [start, end), null if nowhere. */
interface Ink {
  characters: string[];
  spans: ([number, number] | null)[];
}

function inkOf({ text, tokens }: Side): Ink {
  const before: number[] = [0]; // characters of ink before each of the text's
  const characters: string[] = [];
  for (const character of text) {
    if (/\S/u.test(character)) characters.push(character);
    before.push(characters.length);
  }
  const spans = tokens.map(({ start, end }): [number, number] | null =>
    start === null || end === null ? null : [before[start] ?? 0, before[end] ?? 0],
  );
  return { characters, spans };
}

/** The places in the ink that no token reaches over. */
function cutsOf({ characters, spans }: Ink): Set<number> {
  const cuts = new Set(Array.from({ length: characters.length + 1 }, (_, place) => place));
  for (const span of spans) {
    for (let place = (span?.[0] ?? 0) + 1; place < (span?.[1] ?? 0); place += 1) cuts.delete(place);
  }
  const ends = new Set([0, characters.length, ...spans.flatMap((span) => span ?? [])]);
  return new Set([...cuts].filter((place) => ends.has(place)));
}

/** The places where both are cut, in order: left's and right's. */
function commonCuts(left: Ink, right: Ink): [number, number][] {
  const [first, second] = [left.characters, right.characters];
  const shorter = Math.min(first.length, second.length);
  let head = 0;
  while (head < shorter && first[head] === second[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && first.at(-1 - tail) === second.at(-1 - tail)) tail += 1;
  const [ofLeft, ofRight] = [cutsOf(left), cutsOf(right)];
  const found: [number, number][] = [];
  for (let place = 0; place <= head; place += 1) {
    if (ofLeft.has(place) && ofRight.has(place)) found.push([place, place]);
  }
  for (let back = tail; back >= 0; back -= 1) {
    const pair: [number, number] = [first.length - back, second.length - back];
    const last = found.at(-1);
    if (last && last[0] >= pair[0] && last[1] >= pair[1]) continue;
    if (ofLeft.has(pair[0]) && ofRight.has(pair[1])) found.push(pair);
  }
  return found;
}

/** The tokens of a stretch of ink; those without ink (a line's end) go with what follows. */
function within(spans: Ink["spans"], from: number, to: number, last: boolean): number[] {
  return spans.flatMap((span, index) => {
    if (!span) return [];
    const [start, end] = span;
    const inside = end > start ? start >= from && end <= to : start >= from && (start < to || last);
    return inside ? [index] : [];
  });
}

function written(side: Side, tokens: number[]): string {
  const start = side.tokens[tokens[0] ?? -1]?.start ?? 0;
  const end = side.tokens[tokens.at(-1) ?? -1]?.end ?? start;
  const words = Array.from(side.text).slice(start, end).join("").trim();
  return words === "" ? "␣" : words.replace(/\s+/gu, " ");
}

function sameTokens(left: Side, right: Side): boolean {
  return (
    left.tokens.length === right.tokens.length &&
    left.tokens.every((token, index) => {
      const other = right.tokens[index];
      return other !== undefined && token.text === other.text && token.special === other.special;
    })
  );
}

/** One of a trace's texts. What a model wrote has no places in a text of its own: its tokens, one
 * after the other, are the text. */
export function sideOf(trace: Trace, which: Exclude<Part["queries"], "numbered">): Side {
  const tokens = trace[which];
  if (which === "tokens") return { text: trace.text, tokens };
  if (trace.answer?.given) return { text: trace.answer.text, tokens };
  let [text, at] = ["", 0];
  const placed = tokens.map((token): Token => {
    if (token.special) return token;
    const start = at;
    text += token.text;
    at += Array.from(token.text).length;
    return { ...token, start, end: at };
  });
  return { text, tokens: placed };
}

/** Cells of several tokens are paired where they hold the same ones. */
export function alignCells(left: Side, right: Side, { names }: Axis): Alignment | null {
  return sameTokens(left, right) ? oneToOne(names) : null;
}

/** Each token with itself. */
export function oneToOne(names: readonly Token[]): Alignment {
  const pieces = names.map((token, index): Piece => {
    return { left: [index], right: [index], label: label(token), special: token.special };
  });
  return { pieces, manner: "tokens", leftOut: [] };
}

/** The pieces that two texts share; null where they share no word at either end. */
export function align(left: Side, right: Side): Alignment | null {
  if (sameTokens(left, right)) return oneToOne(left.tokens);
  const [inks, leftOut] = [[inkOf(left), inkOf(right)] as const, [] as string[]];
  const pieces: Piece[] = [];
  const cuts = commonCuts(...inks);
  for (let at = 0; at + 1 < cuts.length; at += 1) {
    const [from, to] = [cuts[at] as [number, number], cuts[at + 1] as [number, number]];
    const last = at + 2 === cuts.length;
    const mine = within(inks[0].spans, from[0], to[0], last);
    const theirs = within(inks[1].spans, from[1], to[1], last);
    const [a, b] = [written(left, mine), written(right, theirs)];
    if (mine.length > 0 && theirs.length > 0) {
      pieces.push({ left: mine, right: theirs, label: a === b ? a : `${a} → ${b}`, special: false });
    } else if (mine.length + theirs.length > 0) {
      leftOut.push(mine.length > 0 ? a : b);
    }
  }
  const alike = pieces.some((piece) => written(left, piece.left) === written(right, piece.right));
  if (!alike) return null;
  const added = addedTokens(left.tokens, right.tokens, leftOut);
  const all = [...pieces, ...added].sort((a, b) => (a.left[0] ?? 0) - (b.left[0] ?? 0));
  return { pieces: all, manner: left.text === right.text ? "characters" : "ends", leftOut };
}

/** Tokens that stand for no text, paired by name: the first [SEP] with the first, and so on. */
function addedTokens(left: readonly Token[], right: readonly Token[], leftOut: string[]): Piece[] {
  const free = right.flatMap((token, index) => (token.start === null ? [index] : []));
  const pieces: Piece[] = [];
  left.forEach((token, index) => {
    if (token.start !== null) return;
    const at = free.findIndex((place) => right[place]?.text === token.text);
    const [partner] = at < 0 ? [] : free.splice(at, 1);
    if (partner === undefined) leftOut.push(label(token));
    else pieces.push({ left: [index], right: [partner], label: label(token), special: true });
  });
  leftOut.push(...free.map((place) => label(right[place] as Token)));
  return pieces;
}
