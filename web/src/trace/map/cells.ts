// A rectangle of weights as the map draws it: exact, or each cell the mean of several.
import type { Spot } from "../../design/keys";
import type { Size, Viewport } from "./viewport";

export interface Area {
  rows: readonly [number, number];
  columns: readonly [number, number];
}

export interface Cells extends Area {
  /** [height × width], row by row. */
  values: Float32Array;
  height: number;
  width: number;
  aggregated: boolean;
}

export function areaOf({ row, column, height, width }: Viewport): Area {
  return { rows: [row, row + height], columns: [column, column + width] };
}

/** The exact cells of a viewport, cut out of a head's whole matrix, of so many columns. */
export function cut(matrix: Float32Array, columns: number, viewport: Viewport): Cells {
  const { row, column, height, width } = viewport;
  const values = new Float32Array(height * width);
  for (let line = 0; line < height; line += 1) {
    const first = (row + line) * columns + column;
    values.set(matrix.subarray(first, first + width), line * width);
  }
  return { ...areaOf(viewport), values, height, width, aggregated: false };
}

/** The cell under the pointer, or the nearest, of a map of so many rows and columns. */
export function pointedAt(event: MouseEvent, rows: number, columns: number): Spot {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const at = (share: number, count: number): number =>
    Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  return {
    row: at((event.clientY - box.top) / box.height, rows),
    column: at((event.clientX - box.left) / box.width, columns),
  };
}

/** Texts that differ so much in length have cells that are no squares, or one could not be seen. */
const UNLIKE = 2;
const SEEN = 20;

/** The size of a cell in pixels, as large as fits `space`, at most `most`: whole where it can be. */
export function fitting(space: Size, counts: Size, most: number): Size {
  const [across, down] = [space.width / counts.width, space.height / counts.height];
  const least = Math.min(across, down);
  const ratio = counts.width / counts.height;
  const side = ratio > UNLIKE || ratio < 1 / UNLIKE ? Math.max(least, SEEN) : least;
  const whole = (exact: number): number =>
    exact >= 12 ? Math.min(most, Math.floor(exact)) : exact;
  return { width: whole(Math.min(across, side)), height: whole(Math.min(down, side)) };
}

/** The weight of the cell that covers a row and a column of the head; undefined outside. */
export function weightAt(cells: Cells, row: number, column: number): number | undefined {
  const line = place(row, cells.rows, cells.height);
  const at = place(column, cells.columns, cells.width);
  return line === null || at === null ? undefined : cells.values[line * cells.width + at];
}

function place(at: number, [first, end]: readonly [number, number], count: number): number | null {
  if (at < first || at >= end) return null;
  return Math.floor(((at - first) * count) / (end - first));
}
