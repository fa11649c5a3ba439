// What a chart draws, as numbers: its curves, their range, and the point beside the pointer.

export type Point = readonly [x: number, y: number];

export interface Series {
  name: string;
  /** A colour of the style sheet or of the colour scale. */
  colour: string;
  points: Point[];
  /** Drawn with a dot at each point: they are few. */
  dots?: boolean;
  /** Drawn thin: a curve that jumps from point to point. */
  thin?: boolean;
}

/** Pairs of two columns, where the second has a number (above zero on a logarithmic scale). */
export function pairs(
  x: readonly number[],
  y: readonly (number | null | undefined)[],
  log = false,
): Point[] {
  const found: Point[] = [];
  x.forEach((at, index) => {
    const value = y[index];
    if (value !== null && value !== undefined && Number.isFinite(value) && (!log || value > 0)) {
      found.push([at, value]);
    }
  });
  return found;
}

/** The mean of each value and those before it, `span` in all: what a jumping curve is about. */
export function smooth(points: readonly Point[], span: number): Point[] {
  let sum = 0;
  return points.map(([x, y], at) => {
    sum += y;
    if (at >= span) sum -= points[at - span]?.[1] ?? 0;
    return [x, sum / Math.min(at + 1, span)];
  });
}

/** Smallest and largest of one coordinate; of a share of the values only, so that one wild first
 * step does not flatten the rest. */
export function range(series: readonly Series[], axis: 0 | 1, share = 1): [number, number] {
  const values = series.flatMap(({ points }) => points.map((point) => point[axis])).sort((a, b) => a - b);
  const last = values[Math.max(0, Math.ceil(share * values.length) - 1)];
  return [values[0] ?? 0, last ?? 1];
}

/** The last point at or before `x`, or the first one; undefined where there is none. */
export function pointAt(points: readonly Point[], x: number): Point | undefined {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) <= x) low = middle + 1;
    else high = middle;
  }
  return points[Math.max(0, low - 1)];
}
