// What a reader may change of a run, and lists of such changes. Layers, heads and tokens count
// from 0. What would contradict an edit gives way to it: a silent head has no weights to set, and
// nobody looks at a blank token.

export interface Silence {
  kind: "silence";
  layer: number;
  head: number;
}

/** The weight from one token to another; the rest of the row makes room in proportion. */
export interface Weight {
  kind: "weight";
  layer: number;
  head: number;
  /** The token that looks. */
  row: number;
  /** The token looked at. */
  column: number;
  value: number;
}

export interface Blank {
  kind: "blank";
  token: number;
}

export type Edit = Silence | Weight | Blank;
export type Edits = readonly Edit[];
export type Cell = Omit<Weight, "kind" | "value">;

/** As many as Studio takes at once. */
export const MOST_EDITS = 256;

function ofHead(edit: Edit, layer: number, head: number): boolean {
  return edit.kind !== "blank" && edit.layer === layer && edit.head === head;
}

function ofCell(edit: Edit, cell: Cell): boolean {
  return (
    edit.kind === "weight" &&
    ofHead(edit, cell.layer, cell.head) &&
    edit.row === cell.row &&
    edit.column === cell.column
  );
}

export function isSilent(edits: Edits, layer: number, head: number): boolean {
  return edits.some((edit) => edit.kind === "silence" && ofHead(edit, layer, head));
}

export function isBlank(edits: Edits, token: number): boolean {
  return edits.some((edit) => edit.kind === "blank" && edit.token === token);
}

/** The weights that were set in one row, by the token looked at. */
export function setIn(edits: Edits, layer: number, head: number, row: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const edit of edits) {
    if (edit.kind === "weight" && ofHead(edit, layer, head) && edit.row === row) {
      found.set(edit.column, edit.value);
    }
  }
  return found;
}

/** Silence a head, or let it speak again. */
export function toggledSilence(edits: Edits, layer: number, head: number): Edit[] {
  const others = edits.filter((edit) => !ofHead(edit, layer, head));
  return isSilent(edits, layer, head) ? others : [...others, { kind: "silence", layer, head }];
}

/** Blank a token, or show it again. */
export function toggledBlank(edits: Edits, token: number): Edit[] {
  if (isBlank(edits, token)) {
    return edits.filter((edit) => !(edit.kind === "blank" && edit.token === token));
  }
  const others = edits.filter((edit) => !(edit.kind === "weight" && edit.column === token));
  return [...others, { kind: "blank", token }];
}

/** What of a row the other weights that were set leave for this one, 0 to 1. */
export function roomFor(edits: Edits, cell: Cell): number {
  let left = 1;
  for (const [column, value] of setIn(edits, cell.layer, cell.head, cell.row)) {
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
// joined by "_".

export function writeEdits(edits: Edits): string {
  return edits
    .map((edit) =>
      edit.kind === "silence"
        ? ["silence", edit.layer, edit.head]
        : edit.kind === "blank"
          ? ["blank", edit.token]
          : ["weight", edit.layer, edit.head, edit.row, edit.column, edit.value],
    )
    .map((parts) => parts.join("-"))
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
  const [kind, ...given] = text.split("-");
  const numbers = given.map(Number);
  const places = kind === "weight" ? given.slice(0, 4) : given;
  if (!places.every((place) => /^\d{1,6}$/.test(place))) return null;
  const [first = 0, second = 0, row = 0, column = 0, value = -1] = numbers;
  if (kind === "silence" && given.length === 2) return { kind, layer: first, head: second };
  if (kind === "blank" && given.length === 1) return { kind, token: first };
  if (kind !== "weight" || given.length !== 5 || !/^[01](\.\d{1,4})?$/.test(given[4] ?? "")) return null;
  return value >= 0 && value <= 1 ? { kind, layer: first, head: second, row, column, value } : null;
}
