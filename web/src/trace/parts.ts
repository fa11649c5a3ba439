// A model's parts: which tokens look in each, and at which. Most models have one part, whose tokens
// look at each other; an encoder–decoder has three, and in the third the answer looks at the text.
import type { Part, Token, Trace } from "../protocol/types";

/** The part of this name, or the first where there is none. */
export function partOf(trace: Trace, name: string): Part {
  return trace.parts.find((part) => part.name === name) ?? (trace.parts[0] as Part);
}

/** The tokens that look. */
export function queriesOf(trace: Trace, part: Part): readonly Token[] {
  return part.queries === "numbered" ? numbered(part.num_queries) : trace[part.queries];
}

/** The tokens looked at. */
export function keysOf(trace: Trace, part: Part): readonly Token[] {
  if (part.own_keys) return part.own_keys;
  return part.keys === "numbered" ? numbered(part.num_keys) : trace[part.keys];
}

/** Do the tokens of one text look at each other? */
export function withinOneText(part: Part): boolean {
  return part.queries === part.keys && part.num_queries === part.num_keys;
}

const lists = new Map<number, readonly Token[]>();

/** Tokens of which nothing is known but their places: a vision model's, beside a text's. */
function numbered(count: number): readonly Token[] {
  const known = lists.get(count);
  if (known) return known;
  const made = Array.from({ length: count }, (_, id) => ({
    id,
    text: String(id),
    start: null,
    end: null,
    special: false,
  }));
  lists.set(count, made);
  return made;
}

/** The layer `wanted` of a part; where that has no attention (a convolution, a recurrence) or is none,
 * the next that has it, further from `before`, or the nearest. */
export function layerOf({ layers }: Part, wanted: number, before = wanted): number {
  const way = Math.sign(wanted - before);
  const far = (layer: number): number =>
    Math.abs(layer - wanted) + (way * (layer - wanted) < 0 ? 1e6 : 0) - (layer > wanted ? 0.5 : 0);
  return layers.reduce((best, layer) => (far(layer) < far(best) ? layer : best), layers[0] ?? 0);
}

/** The tokens after each of which the model says what comes next: its answer's, where it has one. */
export function answering(trace: Trace): readonly Token[] {
  return trace.decoder_tokens.length > 0 ? trace.decoder_tokens : trace.tokens;
}
