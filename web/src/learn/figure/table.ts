// A picture as a table: what it shows, for who reads numbers rather than pictures.
import type { Picture, RegionsPicture } from "../types";

export interface Table {
  head: string[];
  rows: string[][];
}

/** Rows of a curve's table: as many places of the curve as are read in one go. */
const MOST_ROWS = 13;

type Word = (label: string) => string;
type Number = (value: number) => string;

/** The table of a picture; null for what has a table of its own. */
export function tableOf(picture: Picture, word: Word, number: Number): Table | null {
  switch (picture.kind) {
    case "curves": {
      const places = sampled(picture.curves[0]?.x ?? []);
      const head = [word(picture.x_label), ...picture.curves.map((curve) => word(curve.label))];
      const points = picture.points.map((point) => point.x);
      const rows = [...new Set([...places, ...points])]
        .sort((a, b) => a - b)
        .map((x) => [number(x), ...picture.curves.map((curve) => at(curve.x, curve.y, x, number))]);
      return { head, rows };
    }
    case "regions":
      if (picture.dots.length === 0) return courses(picture, word, number);
      return {
        head: [word(picture.x_label), word(picture.y_label), "", word(picture.label)],
        rows: picture.dots.map((dot) => [
          number(dot.x),
          number(dot.y),
          word(picture.groups[dot.group] ?? ""),
          number(cellAt(picture, dot.x, dot.y)),
        ]),
      };
    case "heat":
      return {
        head: ["", ...picture.columns.map(word)],
        rows: picture.cells.map((row, index) => [
          word(picture.rows[index] ?? ""),
          ...row.map((cell) => (cell === null ? "—" : number(cell))),
        ]),
      };
    case "bars":
      return {
        head: ["", word(picture.label)],
        rows: picture.bars.map((bar) => [word(bar.label), number(bar.value)]),
      };
    case "graph": {
      const shown = (value: number | null): string => (value === null ? "—" : number(value));
      const named = new Map(picture.nodes.map((node) => [node.name, word(node.label)]));
      return {
        head: ["", word(picture.value_label), word(picture.slope_label), word(picture.number_label)],
        rows: [
          ...picture.nodes.map((node) => [word(node.label), shown(node.value), shown(node.slope), ""]),
          ...picture.arrows.map((edge) => [
            `${named.get(edge.start) ?? ""} → ${named.get(edge.end) ?? ""}`,
            "",
            "",
            shown(edge.number),
          ]),
        ],
      };
    }
    default:
      return null;
  }
}

/** Where the first way across a map leads, step by step. */
function courses(picture: RegionsPicture, word: Word, number: Number): Table | null {
  const [first] = picture.curves;
  if (!first) return null;
  const rows = sampled(first.x.map((_, step) => step)).map((step) =>
    [step, first.x[step] ?? 0, first.y[step] ?? 0].map(number),
  );
  return { head: [word(first.label), word(picture.x_label), word(picture.y_label)], rows };
}

/** The map's value at the cell that a place lies in. */
function cellAt({ cells, x_range: across, y_range: up }: RegionsPicture, x: number, y: number): number {
  const index = (value: number, [low, high]: readonly number[], count: number): number =>
    Math.min(count - 1, Math.max(0, Math.floor((count * (value - (low ?? 0))) / ((high ?? 1) - (low ?? 0)))));
  const row = cells[index(y, up, cells.length)] ?? [];
  return row[index(x, across, row.length)] ?? 0.5;
}

function sampled(x: readonly number[]): number[] {
  if (x.length <= MOST_ROWS) return [...x];
  const found = Array.from({ length: MOST_ROWS }, (_, row) => x[Math.round((row * (x.length - 1)) / (MOST_ROWS - 1))]);
  return found as number[];
}

/** The curve's y at the place nearest to x. */
function at(xs: readonly number[], ys: readonly (number | null)[], x: number, number: Number): string {
  let best = 0;
  xs.forEach((each, index) => {
    if (Math.abs(each - x) < Math.abs((xs[best] ?? 0) - x)) best = index;
  });
  const y = ys[best];
  return y === null || y === undefined ? "—" : number(y);
}
