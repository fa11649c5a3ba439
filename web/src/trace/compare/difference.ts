// What one head gives more than another: left − right, piece by piece.
import type { Piece } from "./alignment";
import type { Grid } from "./grid";

type Groups = readonly (readonly number[])[];

/** A head's weights between pieces [rows × columns]: summed over keys, averaged over queries. */
export function between(grid: Head, rows: Groups, columns: Groups): Float32Array {
  const { values } = grid;
  const width = grid.columns.names.length;
  const found = new Float32Array(rows.length * columns.length);
  rows.forEach((queries, row) => {
    columns.forEach((keys, column) => {
      let sum = 0;
      for (const query of queries) for (const key of keys) sum += values[query * width + key] ?? 0;
      found[row * columns.length + column] = sum / queries.length;
    });
  });
  return found;
}

export interface Compared {
  /** The pieces that look, and those looked at. */
  rows: readonly Piece[];
  columns: readonly Piece[];
  /** [rows × columns] each. */
  left: Float32Array;
  right: Float32Array;
  /** left − right. */
  difference: Float32Array;
  /** The largest difference of either sign. */
  greatest: number;
}

export type Head = Pick<Grid, "values" | "columns">;

export function compared(
  rows: readonly Piece[],
  columns: readonly Piece[],
  left: Head,
  right: Head,
): Compared {
  const groups = (side: "left" | "right"): [Groups, Groups] => [
    rows.map((piece) => piece[side]),
    columns.map((piece) => piece[side]),
  ];
  const mine = between(left, ...groups("left"));
  const theirs = between(right, ...groups("right"));
  const difference = mine.map((weight, cell) => weight - (theirs[cell] ?? 0));
  const greatest = difference.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  return { rows, columns, left: mine, right: theirs, difference, greatest };
}

/** The piece of the left's `place`; null where there is none. */
export function pieceAt(pieces: readonly Piece[], place: number | null): number | null {
  const found = pieces.findIndex((piece) => place !== null && piece.left.includes(place));
  return found < 0 ? null : found;
}

export interface Change {
  query: number;
  key: number;
  left: number;
  right: number;
  difference: number;
}

/** The cells that differ most, largest first; those that do not differ are left out. */
export function largest({ columns, left, right, difference }: Compared, count: number): Change[] {
  const size = columns.length;
  return Array.from(difference.keys())
    .filter((cell) => difference[cell] !== 0)
    .sort((a, b) => Math.abs(difference[b] as number) - Math.abs(difference[a] as number) || a - b)
    .slice(0, count)
    .map((cell) => ({
      query: Math.floor(cell / size),
      key: cell % size,
      left: left[cell] as number,
      right: right[cell] as number,
      difference: difference[cell] as number,
    }));
}

/** How much of the left's attention goes elsewhere than the right's: ½ Σ |difference|, mean of rows. */
export function movedShare({ rows, difference }: Compared): number {
  const sum = difference.reduce((total, each) => total + Math.abs(each), 0);
  return rows.length > 0 ? sum / 2 / rows.length : 0;
}
