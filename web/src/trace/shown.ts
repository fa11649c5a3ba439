// What the panes draw: one head and one source token of a trace, all of one piece, so that a
// picture never mixes two heads.
import type { Part, Token, Trace } from "../protocol/types";
import { rowOf, strongestLinks, type Link } from "./links";
import { keysOf, queriesOf } from "./parts";
import type { Patterns } from "./patterns";

export interface Shown {
  trace: Trace;
  part: Part;
  /** The tokens that look in this part, and those looked at: mostly the same. */
  queries: readonly Token[];
  keys: readonly Token[];
  patterns: Patterns;
  layer: number;
  head: number;
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
  { layer, head, token }: Pick<Shown, "layer" | "head" | "token">,
  signal: AbortSignal,
): Promise<Shown> {
  const { trace, part, size, width } = patterns;
  let matrix: Float32Array | null = null;
  let row: Float32Array | null = null;
  let links: Link[] | null = null;
  if (patterns.whole || (token === null && Math.max(size, width) <= LONGEST_LINKED)) {
    matrix = await patterns.matrix(layer, head, signal);
  }
  if (token === null) {
    links = matrix
      ? strongestLinks(matrix, width, Math.max(200, 2 * size), 0.02)
      : await patterns.strongest(layer, head, signal);
  } else {
    row = matrix
      ? rowOf(matrix, width, token)
      : await patterns.row(layer, head, token, signal);
  }
  const [queries, keys] = [queriesOf(trace, part), keysOf(trace, part)];
  return { trace, part, queries, keys, patterns, layer, head, token, matrix, row, links };
}
