// What the panes draw: one head and one source token of a trace, all of one piece, so that a
// picture never mixes two heads.
import type { Part, Token, Trace } from "../protocol/types";
import { rowOf, strongestLinks, type Link } from "./links";
import { keysOf, queriesOf } from "./parts";
import type { Heads, Patterns } from "./patterns";
import { MOST_OVERLAID } from "./reading";

/** One of several heads that are drawn one over another. */
export interface Overlaid {
  head: number;
  matrix: Float32Array | null;
  row: Float32Array | null;
  links: Link[] | null;
}

export interface Shown {
  trace: Trace;
  part: Part;
  /** The tokens that look in this part, and those looked at: mostly the same. */
  queries: readonly Token[];
  keys: readonly Token[];
  patterns: Patterns;
  layer: number;
  head: number;
  /** Several heads of the layer whose mean the weights are; null for the head alone. */
  heads: readonly number[] | null;
  /** Each of these heads by itself, where they are drawn one over another. */
  overlaid: readonly Overlaid[] | null;
  /** The source token's place among the queries. */
  token: number | null;
  /** All weights [queries × keys], where they have come; null for a long text. */
  matrix: Float32Array | null;
  /** The source token's weights; null without a source token. */
  row: Float32Array | null;
  /** Without a source token: the head's strongest links. Null where the text is too long. */
  links: Link[] | null;
}

/** Texts longer than this have no picture of all their links. */
export const LONGEST_LINKED = 512;

/** Fetch no more than a head's picture needs: its matrix, or of a long text the row or the links. */
export async function fetchShown(
  patterns: Patterns,
  { layer, head, token, heads }: Pick<Shown, "layer" | "head" | "token" | "heads">,
  overlay: boolean,
  signal: AbortSignal,
): Promise<Shown> {
  const { trace, part } = patterns;
  const looked = await fetchWeights(patterns, layer, heads ?? head, token, signal);
  let overlaid: Overlaid[] | null = null;
  if (overlay && heads && heads.length <= MOST_OVERLAID) {
    overlaid = await Promise.all(
      heads.map(async (one) => ({
        head: one,
        ...(await fetchWeights(patterns, layer, one, token, signal)),
      })),
    );
  }
  const [queries, keys] = [queriesOf(trace, part), keysOf(trace, part)];
  return { trace, part, queries, keys, patterns, layer, head, heads, overlaid, token, ...looked };
}

async function fetchWeights(
  patterns: Patterns,
  layer: number,
  head: Heads,
  token: number | null,
  signal: AbortSignal,
): Promise<Pick<Shown, "matrix" | "row" | "links">> {
  const { size, width } = patterns;
  let matrix: Float32Array | null = null;
  let row: Float32Array | null = null;
  let links: Link[] | null = null;
  if (patterns.whole || (token === null && Math.max(size, width) <= LONGEST_LINKED)) {
    matrix = await patterns.matrix(layer, head, signal);
  }
  if (token === null) {
    links = matrix
      ? strongestLinks(matrix, width, Math.max(200, 2 * size), 0.02)
      : typeof head === "number"
        ? await patterns.strongest(layer, head, signal)
        : null;
  } else {
    row = matrix
      ? rowOf(matrix, width, token)
      : await patterns.row(layer, head, token, signal);
  }
  return { matrix, row, links };
}
