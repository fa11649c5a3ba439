// Where a trace is looked at when it comes: at the layer, head and token that an address names, or
// where the trace before it was looked at. What the new trace does not have becomes the nearest.
import { problemFor, type Problem } from "../protocol/problem";
import type { Part, Token, Trace } from "../protocol/types";
import type { Place, Source } from "./address";
import { keysOf, layerOf, partOf, queriesOf } from "./parts";
import { firstOf, kindOf } from "./surfaces/kinds";
import { sameSource, stillThere } from "./words";

/** A head, a source token, and a token looked at; both tokens null where none is chosen. */
export interface Aim {
  layer: number;
  head: number;
  token: number | null;
  key: number | null;
}

/** What was looked at before, and its tokens that look. */
export interface Earlier {
  trace: Trace;
  tokens: readonly Token[];
}

/** `now` is where the reader aims; `problem` says what `place` names and the trace does not have. */
export function settled(
  trace: Trace,
  part: Part,
  place: Place | null,
  before: Earlier | null,
  now: Aim,
): Aim & { problem: Problem | null } {
  const layer = place?.layer ?? now.layer;
  const head = place?.head ?? now.head;
  const sameText = !before || before.trace.text === trace.text;
  const key = sameText ? keyIn(trace, part, before, now.key) : null;
  return {
    layer: layerOf(part, layer),
    head: Math.min(head, part.num_heads - 1),
    token: sourceIn(trace, part, place?.token ?? null, before, now.token),
    key: key !== null && key < keysOf(trace, part).length ? key : null,
    problem: place && missing(trace, part, place, layer, head),
  };
}

/** The token looked at; of a text that is read in other tokens the one that holds it. */
function keyIn(trace: Trace, part: Part, before: Earlier | null, key: number | null): number | null {
  if (!before || key === null || before.trace.id === trace.id) return key;
  const keys = keysOf(before.trace, partOf(before.trace, part.name));
  return sameSource(keys, keysOf(trace, part), key);
}

function missing(
  trace: Trace,
  part: Part,
  place: Place,
  layer: number,
  head: number,
): Problem | null {
  const { num_layers, num_heads } = part;
  if (place.part && place.part !== part.name) {
    const known = trace.parts.map((each) => each.name || "—").join(", ");
    return problemFor("part_unknown", { part: place.part, known });
  }
  if (layer >= num_layers) return problemFor("layer_out_of_range", { layer, num_layers });
  if (!part.layers.includes(layer)) {
    const layers = part.layers.join(", ");
    return problemFor("layer_without_attention", { layer, layers, model: trace.model });
  }
  if (head >= num_heads) return problemFor("head_out_of_range", { head, num_heads });
  return null;
}

function sourceIn(
  trace: Trace,
  part: Part,
  wanted: Source,
  before: Earlier | null,
  now: number | null,
): number | null {
  const tokens = queriesOf(trace, part);
  if (wanted === "none") return null;
  if (wanted !== null) return Math.min(wanted, tokens.length - 1);
  if (!before) return firstOf(trace, part.queries, tokens);
  if (now === null) return null;
  const held = { text: before.trace.text, tokens: before.tokens };
  if (!stillThere(held, trace, now)) return firstOf(trace, part.queries, tokens);
  if (kindOf(trace, part.queries) === "text") return sameSource(before.tokens, tokens, now);
  const named = tokens.findIndex(({ text }) => text === before.tokens[now]?.text);
  return named >= 0 ? named : firstOf(trace, part.queries, tokens);
}
