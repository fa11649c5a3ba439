// Whom the newest token looks at: its weights, and the first token that they are of.
import type { Look, NewestLine } from "./types";

export interface Weights {
  start: number;
  values: ArrayLike<number>;
  most: number;
}

/**
 * While a text is written, the last line's weights; at rest those of the place. A model that tells
 * of no attention has none. Those of another place are not shown: `count` tokens stand before us.
 */
export function weightsOf(
  look: Look | null,
  fresh: boolean,
  live: NewestLine | null,
  count: number,
): Weights | null {
  if (live) return weights(live.start, live.attention);
  if (!look || !fresh || look.start + look.row.length > count) return null;
  return weights(look.start, look.row);
}

function weights(start: number, values: ArrayLike<number>): Weights | null {
  if (values.length === 0) return null;
  let most = 0;
  for (let index = 0; index < values.length; index += 1) most = Math.max(most, values[index] ?? 0);
  return { start, values, most };
}
