// What one head gives more than another: left − right, piece by piece.
import type { Piece } from "./alignment";

/** A head's weights [size × size] between pieces: summed over keys, averaged over queries. */
export function between(
  matrix: Float32Array,
  size: number,
  groups: readonly (readonly number[])[],
): Float32Array {
  const found = new Float32Array(groups.length * groups.length);
  groups.forEach((queries, row) => {
    groups.forEach((keys, column) => {
      let sum = 0;
      for (const query of queries) for (const key of keys) sum += matrix[query * size + key] ?? 0;
      found[row * groups.length + column] = sum / queries.length;
    });
  });
  return found;
}

export interface Compared {
  pieces: readonly Piece[];
  /** [pieces × pieces] each. */
  left: Float32Array;
  right: Float32Array;
  /** left − right. */
  difference: Float32Array;
  /** The largest difference of either sign. */
  greatest: number;
}

export interface Head {
  matrix: Float32Array;
  size: number;
}

export function compared(pieces: readonly Piece[], left: Head, right: Head): Compared {
  const mine = between(left.matrix, left.size, pieces.map((piece) => piece.left));
  const theirs = between(right.matrix, right.size, pieces.map((piece) => piece.right));
  const difference = mine.map((weight, cell) => weight - (theirs[cell] ?? 0));
  const greatest = difference.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  return { pieces, left: mine, right: theirs, difference, greatest };
}

export interface Change {
  query: number;
  key: number;
  left: number;
  right: number;
  difference: number;
}

/** The cells that differ most, largest first; those that do not differ are left out. */
export function largest({ pieces, left, right, difference }: Compared, count: number): Change[] {
  const size = pieces.length;
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
export function movedShare({ pieces, difference }: Compared): number {
  const sum = difference.reduce((total, each) => total + Math.abs(each), 0);
  return pieces.length > 0 ? sum / 2 / pieces.length : 0;
}
