// Whom the newest token looks at: its weights, and the first token that they are of.
import type { Look, NewestLine } from "./types";

export interface Weights {
  start: number;
  values: ArrayLike<number>;
  most: number;
}

/** The newest token's weights on what the decoder reads, and, in an encoder–decoder, on what the
 * encoder read. Null: there are none that could be seen. */
export interface Seen {
  own: Weights | null;
  cross: Weights | null;
}

/**
 * While a text is written, the last line's weights; at rest those of the place. A model that tells
 * of no attention has none. Those of another place are not shown: the decoder reads `count` tokens.
 */
export function weightsOf(
  look: Look | null,
  fresh: boolean,
  live: NewestLine | null,
  count: number,
): Seen {
  if (live) return { own: weights(live.start, live.attention), cross: weights(0, live.cross) };
  if (!look || !fresh || look.start + look.row.length > count) return { own: null, cross: null };
  return { own: weights(look.start, look.row), cross: weights(0, look.cross) };
}

function weights(start: number, values: ArrayLike<number>): Weights | null {
  if (values.length === 0) return null;
  let most = 0;
  for (let index = 0; index < values.length; index += 1) most = Math.max(most, values[index] ?? 0);
  return { start, values, most };
}

/** The weights with the places of their tokens, the greatest first. */
export function ordered(weights: Weights): { index: number; weight: number }[] {
  return Array.from(weights.values, (weight, index) => ({ index: weights.start + index, weight })).sort(
    (a, b) => b.weight - a.weight || a.index - b.index,
  );
}
