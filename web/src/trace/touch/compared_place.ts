// Where the prediction is compared: the place that the reader chose, or the one that says most.
import { answering, queriesOf } from "../parts";
import type { Shown } from "../shown";
import { firstSource } from "../words";

/** Is the source token one of those where the model says something? */
export function looksFromThere({ trace, part }: Pick<Shown, "trace" | "part">): boolean {
  return queriesOf(trace, part) === answering(trace);
}

/**
 * A decoder is asked for what follows its text, an encoder for the source token, an
 * encoder–decoder for what follows the source token in its answer; while a reader looks at its
 * encoder, for the answer's last word.
 */
export function comparedPlace(
  shown: Pick<Shown, "trace" | "part" | "token">,
  chosen: number | null,
): number {
  const tokens = answering(shown.trace);
  if (chosen !== null && chosen < tokens.length) return chosen;
  if (shown.trace.causal && shown.trace.parts.length === 1) return tokens.length - 1;
  if (looksFromThere(shown)) return shown.token ?? firstSource(tokens);
  return Math.max(0, tokens.findLastIndex((token) => !token.special) - 1);
}
