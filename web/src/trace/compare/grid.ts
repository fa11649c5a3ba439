// A head as Compare draws it: every weight exact, or, where a text is long, in cells of several
// tokens. Either way a cell holds what a token gives to those that stand there, so rows sum to one.
import type { Token } from "../../protocol/types";
import { keysOf, queriesOf } from "../parts";
import type { Patterns } from "../patterns";
import { label } from "../words";

export interface Axis {
  /** What stands at each place: a token, or what is said of several. */
  names: readonly Token[];
  /** Where each begins among the tokens, and where the last ends. */
  edges: readonly number[];
}

export interface Grid {
  /** [rows × columns]: summed over the keys of a cell, averaged over its queries. */
  values: Float32Array;
  rows: Axis;
  columns: Axis;
  /** Is each cell one weight? */
  exact: boolean;
}

/** All of a head, in as many cells as a map has. */
export async function gridOf(
  patterns: Patterns,
  layer: number,
  head: number,
  signal: AbortSignal,
): Promise<Grid> {
  const { size, width, trace, part } = patterns;
  const all = { rows: [0, size], columns: [0, width] } as const;
  const cells = await patterns.cells(layer, head, all, signal);
  const rows = axisOf(queriesOf(trace, part), cells.height);
  const columns = axisOf(keysOf(trace, part), cells.width);
  const exact = !cells.aggregated;
  return { values: exact ? cells.values : summed(cells.values, columns), rows, columns, exact };
}

/** Tokens shared out among so many places, as the server shares them out. */
export function axisOf(tokens: readonly Token[], count: number): Axis {
  const edges = Array.from({ length: count + 1 }, (_, at) =>
    Math.floor((at * tokens.length) / count),
  );
  if (count === tokens.length) return { names: tokens, edges };
  const names = edges.slice(0, -1).map((first, at): Token => {
    const last = (edges[at + 1] ?? first) - 1;
    const [from, to] = [tokens[first], tokens[last]];
    const ends = from && to && first < last ? `${label(from)} … ${label(to)}` : from ? label(from) : "";
    const places = first < last ? `${first}–${last}` : String(first);
    return { id: first, text: `${places} ${ends}`, start: null, end: null, special: false };
  });
  return { names, edges };
}

/** The place on the axis of a token; null where there is none. */
export function placeOn(axis: Axis, token: number | null): number | null {
  const { names, edges } = axis;
  if (token === null || token >= (edges[names.length] ?? 0)) return null;
  return edges.findLastIndex((edge) => edge <= token);
}

/** Means over the keys of a cell, as what goes to all of them. */
function summed(means: Float32Array, { names, edges }: Axis): Float32Array {
  return means.map((mean, cell) => {
    const column = cell % names.length;
    return mean * ((edges[column + 1] ?? 0) - (edges[column] ?? 0));
  });
}
