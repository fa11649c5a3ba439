// What a reader may change of a run, and lists of such changes. Layers, heads and tokens count
// from 0. What would contradict an edit gives way to it: a silent head has no weights to set, and
// nobody looks at a blank token.
import type { Part } from "../../protocol/types";

/** A head of one of the model's parts; "" names the only one of a model that has one. */
export interface HeadPlace {
  part: string;
  layer: number;
  head: number;
}

export interface Silence extends HeadPlace {
  kind: "silence";
}

/** The weight from one token to another; the rest of the row makes room in proportion. */
export interface Weight extends HeadPlace {
  kind: "weight";
  /** The token that looks. */
  row: number;
  /** The token looked at. */
  column: number;
  value: number;
}

/** A token of the text, or of an encoder–decoder's answer. */
export interface Blank {
  kind: "blank";
  of: Text;
  token: number;
}

export type Text = Part["keys"];

export type Edit = Silence | Weight | Blank;
export type Edits = readonly Edit[];
export type Cell = Omit<Weight, "kind" | "value">;

/** As many as Studio takes at once. */
export const MOST_EDITS = 256;

/** The text that a part looks at. */
function lookedAt(part: string): Text {
  return part === "decoder" ? "decoder_tokens" : "tokens";
}

function ofHead(edit: Edit, { part, layer, head }: HeadPlace): boolean {
  return edit.kind !== "blank" && edit.part === part && edit.layer === layer && edit.head === head;
}

/** Is it the edit of this one weight? */
export function ofCell(edit: Edit, cell: Cell): boolean {
  return (
    edit.kind === "weight" &&
    ofHead(edit, cell) &&
    edit.row === cell.row &&
    edit.column === cell.column
  );
}

export function isSilent(edits: Edits, place: HeadPlace): boolean {
  return edits.some((edit) => edit.kind === "silence" && ofHead(edit, place));
}

export function isBlank(edits: Edits, of: Text, token: number): boolean {
  return edits.some((edit) => edit.kind === "blank" && edit.of === of && edit.token === token);
}

/** The weights that were set in one row, by the token looked at. */
export function setIn(edits: Edits, place: HeadPlace, row: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const edit of edits) {
    if (edit.kind === "weight" && ofHead(edit, place) && edit.row === row) {
      found.set(edit.column, edit.value);
    }
  }
  return found;
}

/** Silence a head, or let it speak again. */
export function toggledSilence(edits: Edits, { part, layer, head }: HeadPlace): Edit[] {
  const place = { part, layer, head };
  const others = edits.filter((edit) => !ofHead(edit, place));
  return isSilent(edits, place) ? others : [...others, { kind: "silence", ...place }];
}

/** Blank a token, or show it again. */
export function toggledBlank(edits: Edits, of: Text, token: number): Edit[] {
  if (isBlank(edits, of, token)) {
    return edits.filter((edit) => !isBlank([edit], of, token));
  }
  const others = edits.filter(
    (edit) => !(edit.kind === "weight" && lookedAt(edit.part) === of && edit.column === token),
  );
  return [...others, { kind: "blank", of, token }];
}

/** What of a row the other weights that were set leave for this one, 0 to 1. */
export function roomFor(edits: Edits, cell: Cell): number {
  let left = 1;
  for (const [column, value] of setIn(edits, cell, cell.row)) {
    if (column !== cell.column) left -= value;
  }
  return Math.max(0, rounded(left));
}

/** Set a weight, to the hundredth; no more than its row has room for. */
export function withWeight(edits: Edits, cell: Cell, value: number): Edit[] {
  const kept = Math.max(0, Math.min(roomFor(edits, cell), rounded(value)));
  const edit: Weight = { kind: "weight", ...cell, value: kept };
  const at = edits.findIndex((other) => ofCell(other, cell));
  return at < 0 ? [...edits, edit] : edits.with(at, edit);
}

export function without(edits: Edits, edit: Edit): Edit[] {
  return edits.filter((other) => other !== edit);
}

/** The edits that still mean something when the text becomes another: those of heads. */
export function ofAnyText(edits: Edits): Edit[] {
  return edits.filter((edit) => edit.kind === "silence");
}

/**
 * A row as it will be: what was set has its value, what is blank has none, and the rest is scaled
 * so that the row sums to one. The server's answer replaces it; meanwhile the bars follow the hand.
 */
export function foreseen(
  row: Float32Array,
  set: ReadonlyMap<number, number>,
  blank: (token: number) => boolean,
): Float32Array {
  let [taken, rest] = [0, 0];
  row.forEach((weight, key) => {
    const value = set.get(key);
    if (value !== undefined) taken += value;
    else if (!blank(key)) rest += weight;
  });
  const scale = rest > 0 ? Math.max(0, 1 - taken) / rest : 0;
  return row.map((weight, key) => set.get(key) ?? (blank(key) ? 0 : weight * scale));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

// In the page's address: silence-LAYER-HEAD, weight-LAYER-HEAD-ROW-COLUMN-VALUE, blank-TOKEN,
// joined by "_". Of an encoder–decoder the part stands behind the kind (silence-cross-1-0), and
// "answer" where a token is the answer's (blank-answer-3).

const ANSWER = "answer";

export function writeEdits(edits: Edits): string {
  return edits
    .map((edit) =>
      edit.kind === "silence"
        ? ["silence", edit.part, edit.layer, edit.head]
        : edit.kind === "blank"
          ? ["blank", edit.of === "tokens" ? "" : ANSWER, edit.token]
          : ["weight", edit.part, edit.layer, edit.head, edit.row, edit.column, edit.value],
    )
    .map((words) => words.filter((word) => word !== "").join("-"))
    .join("_");
}

/** The edits that an address names; what is no edit is left out. */
export function readEdits(text: string | null): Edit[] {
  return (text ?? "")
    .split("_")
    .slice(0, MOST_EDITS)
    .flatMap((part) => readEdit(part) ?? []);
}

function readEdit(text: string): Edit | null {
  const [kind, ...words] = text.split("-");
  const part = /^[a-z]{1,16}$/.test(words[0] ?? "") ? (words[0] ?? "") : "";
  const given = part === "" ? words : words.slice(1);
  const numbers = given.map(Number);
  const places = kind === "weight" ? given.slice(0, 4) : given;
  if (!places.every((place) => /^\d{1,6}$/.test(place))) return null;
  const [first = 0, second = 0, row = 0, column = 0, value = -1] = numbers;
  if (kind === "silence" && given.length === 2) return { kind, part, layer: first, head: second };
  if (kind === "blank" && given.length === 1 && (part === "" || part === ANSWER)) {
    return { kind, of: part === "" ? "tokens" : "decoder_tokens", token: first };
  }
  if (kind !== "weight" || given.length !== 5 || !/^[01](\.\d{1,4})?$/.test(given[4] ?? "")) return null;
  if (value < 0 || value > 1) return null;
  return { kind, part, layer: first, head: second, row, column, value };
}
