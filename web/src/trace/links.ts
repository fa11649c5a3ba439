// Weights worth drawing.

export interface Link {
  query: number;
  key: number;
  weight: number;
}

/** The position of the greatest weight; -1 for none. */
export function strongest(row: ArrayLike<number>): number {
  let best = -1;
  for (let index = 0; index < row.length; index += 1) {
    if (best < 0 || (row[index] as number) > (row[best] as number)) best = index;
  }
  return best;
}

/** The greatest of many weights, 0 for none. */
export function greatest(values: ArrayLike<number>): number {
  let found = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (value > found) found = value;
  }
  return found;
}

/** Row `query` of a matrix of `size` columns, shared memory. */
export function rowOf(matrix: Float32Array, size: number, query: number): Float32Array {
  return matrix.subarray(query * size, (query + 1) * size);
}

/**
 * The strongest links of a whole head: at most `count`, none weaker than `threshold`, the weakest
 * first, so that the strongest is painted last and lies on top.
 */
export function strongestLinks(
  matrix: Float32Array,
  size: number,
  count: number,
  threshold: number,
): Link[] {
  const found: Link[] = [];
  for (let cell = 0; cell < matrix.length; cell += 1) {
    const weight = matrix[cell] as number;
    if (weight >= threshold) {
      found.push({ query: Math.floor(cell / size), key: cell % size, weight });
    }
  }
  found.sort((a, b) => b.weight - a.weight);
  return found.slice(0, count).reverse();
}

/** The links of one row, the weakest first; those too weak to be seen are left out. */
export function rowLinks(row: Float32Array, query: number, threshold: number): Link[] {
  const found: Link[] = [];
  row.forEach((weight, key) => {
    if (weight >= threshold) found.push({ query, key, weight });
  });
  return found.sort((a, b) => a.weight - b.weight);
}

export type Item = { token: number } | { from: number; to: number };

/** `wanted` positions in order, and in place of the others one gap each: from ≤ hidden < to. */
export function withGaps(wanted: Iterable<number>, size: number): Item[] {
  const sorted = [...new Set(wanted)].filter((index) => index >= 0 && index < size);
  sorted.sort((a, b) => a - b);
  const items: Item[] = [];
  let next = 0;
  for (const index of sorted) {
    // A gap of one token takes as much room as the token.
    if (index === next + 1) items.push({ token: next });
    else if (index > next) items.push({ from: next, to: index });
    items.push({ token: index });
    next = index + 1;
  }
  if (next === size - 1) items.push({ token: next });
  else if (next < size) items.push({ from: next, to: size });
  return items;
}

/** The positions within `reach` of `centre`. */
export function around(centre: number, reach: number, size: number): number[] {
  const first = Math.max(0, centre - reach);
  const last = Math.min(size - 1, centre + reach);
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
}

/** The positions of the `count` greatest weights of a row. */
export function heaviest(row: Float32Array, count: number): number[] {
  // A few of many: those as great as the weakest of them are looked at, not all sorted.
  const least = row.slice().sort()[Math.max(0, row.length - count)] ?? 0;
  const found: number[] = [];
  row.forEach((weight, index) => {
    if (weight >= least) found.push(index);
  });
  return found.sort((a, b) => (row[b] as number) - (row[a] as number) || a - b).slice(0, count);
}

/** A line from (0, fromY) to (width, toY) that leaves and arrives level. */
export function curve(width: number, fromY: number, toY: number): string {
  const bend = width * 0.45;
  return `M0 ${fromY}C${bend} ${fromY} ${width - bend} ${toY} ${width} ${toY}`;
}

/** How thick a weight is drawn, in pixels: the area of ink grows with the weight. */
export function thickness(weight: number, rowHeight: number): number {
  return 0.6 + weight * Math.min(14, rowHeight * 0.5);
}
