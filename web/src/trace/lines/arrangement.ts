// Where the tokens of the two columns stand, and which of a long text are folded away.
import { around, heaviest, withGaps, type Item, type Link } from "../links";

/** Texts longer than this are folded around their source token. */
export const FITS = 48;
/** The least height of a token's row, and that of a gap, in pixels. */
export const LEAST_ROW = 26;
export const GAP = 18;
const MOST_ROW = 44;

export interface Column {
  items: Item[];
  /** The middle of each token's row, in pixels from the top. */
  places: ReadonlyMap<number, number>;
}

export interface Arrangement {
  left: Column;
  right: Column;
  rowHeight: number;
  height: number;
}

/** All tokens in both columns, those that look and those looked at, in rows that share `room` pixels. */
export function unfolded(size: number, room: number, numKeys = size): Arrangement {
  const all = (count: number): Item[] => withGaps(Array(count).keys(), count);
  return arranged(all(size), all(numKeys), room);
}

/**
 * The source token with its neighbours on the left; on the right itself, those beside it (where one
 * text looks at itself) and as many of its strongest links as fit in `room` pixels. `size` is the
 * number of tokens that look, where it is another than that of the `weights`.
 */
export function folded(
  weights: Float32Array,
  token: number,
  room: number,
  size: number | null = null,
): Arrangement {
  const numKeys = weights.length;
  // A page that scrolls as a whole has room for any number of rows, but nobody reads them.
  const rows = Math.min(22, Math.max(11, Math.floor(room / LEAST_ROW)));
  const left = withGaps(around(token, Math.floor(rows / 2) - 1, size ?? numKeys), size ?? numKeys);
  const beside = size === null ? around(token, 1, numKeys) : [];
  const strongest = heaviest(weights, 16);
  let right: Item[] = [];
  for (let count = 16; count >= 4; count -= 1) {
    right = withGaps([...beside, ...strongest.slice(0, count)], numKeys);
    if (tall(right, LEAST_ROW) <= rows * LEAST_ROW) break;
  }
  return arranged(left, right, room);
}

/** Only the tokens of some links, each column's in its order. */
export function linked(links: readonly Link[], size: number, room: number): Arrangement {
  const column = (ends: number[]): Item[] => withGaps(ends, size);
  const left = column(links.map((link) => link.query));
  return arranged(left, column(links.map((link) => link.key)), room);
}

function arranged(left: Item[], right: Item[], room: number): Arrangement {
  const most = Math.max(left.length, right.length);
  const rowHeight = Math.max(LEAST_ROW, Math.min(MOST_ROW, Math.floor(room / most)));
  const height = Math.max(tall(left, rowHeight), tall(right, rowHeight));
  const column = (items: Item[]): Column => ({ items, places: places(items, rowHeight, height) });
  return { left: column(left), right: column(right), rowHeight, height };
}

function tall(items: Item[], rowHeight: number): number {
  return items.reduce((sum, item) => sum + ("token" in item ? rowHeight : GAP), 0);
}

/** The shorter column stands in the middle of the taller one. */
function places(items: Item[], rowHeight: number, height: number): Map<number, number> {
  const found = new Map<number, number>();
  let top = (height - tall(items, rowHeight)) / 2;
  for (const item of items) {
    if ("token" in item) {
      found.set(item.token, top + rowHeight / 2);
      top += rowHeight;
    } else top += GAP;
  }
  return found;
}
