// A picture's address ↔ what is looked at. A link written by one reader opens the same view for
// another: model, text, head, source token, view and colour scale, and the language and theme
// where their reader chose one.
import type { Scale } from "../design/ramp";
import { readPreferred, type Preferred } from "../state/preferences.svelte";
import { GRAPH_KINDS, type GraphKind } from "./explaining/types";
import { patternAddress, patternOf } from "./pattern_address";
import { readReading, writeReading, type Reading } from "./reading";

/** A source token: its position, `none` when chosen so, or null where nothing was said. */
export type Source = number | "none" | null;

export interface Place extends Preferred {
  model: string | null;
  text: string | null;
  /** What an encoder–decoder's decoder reads; null for what the model writes. */
  answer: string | null;
  /** The id of a trace that was read from a file; then model and text are the file's. */
  trace: string | null;
  /** The part of the model, "" where there is only one; null where no layer was named. */
  part: string | null;
  layer: number | null;
  head: number | null;
  token: Source;
  /** The token looked at whose weight is worked out; null for the strongest. */
  key: number | null;
  /** The name of a view. One that there is none of is shown as the first: `viewOf`. */
  view: string;
  /** What the graph's edges are; null for rollout. */
  graph: GraphKind | null;
  /** The other sentence of the word path. */
  beside: string | null;
  /** The source token is hidden from the model, for its prediction. */
  blank: boolean;
  /** How the weights are read. */
  reading: Reading;
  scale: Scale;
  /** Weak weights brought forward. */
  lifted: boolean;
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

function oneOf<T extends string>(allowed: readonly T[], text: string | null): T | null {
  return allowed.find((value) => value === text) ?? null;
}

/** The place that an address names; parts that say nothing, or nonsense, are null or default. */
export function readPlace(search: string): Place {
  const query = new URLSearchParams(search);
  const token = query.get("token");
  const at = patternOf(query.get("at") ?? "");
  return {
    model: query.get("model"),
    text: query.get("text"),
    answer: query.get("answer"),
    trace: /^[0-9a-f]{32}$/.exec(query.get("trace") ?? "")?.[0] ?? null,
    part: at?.part ?? null,
    layer: at?.layer ?? null,
    head: whole(query.get("head")),
    token: token === "none" ? "none" : whole(token),
    key: whole(query.get("key")),
    view: /^[a-z_]{1,24}$/.exec(query.get("view") ?? "")?.[0] ?? "lines",
    graph: oneOf(GRAPH_KINDS, query.get("graph")),
    beside: query.get("beside"),
    blank: query.get("blank") === "1",
    reading: readReading(query),
    scale: oneOf(["glass", "course"] as const, query.get("scale")) ?? "glass",
    lifted: query.get("lifted") === "1",
    ...readPreferred(search),
  };
}

/** The address of a place, beginning with "?"; readPlace(writePlace(p)) is p. */
export function writePlace(place: Place): string {
  const query = new URLSearchParams();
  if (place.model !== null) query.set("model", place.model);
  if (place.text !== null) query.set("text", place.text);
  else if (place.trace !== null) query.set("trace", place.trace);
  if (place.answer !== null) query.set("answer", place.answer);
  if (place.layer !== null) query.set("at", patternAddress(place.layer, place.part ?? ""));
  if (place.head !== null) query.set("head", String(place.head));
  if (place.token !== null) query.set("token", String(place.token));
  if (place.key !== null) query.set("key", String(place.key));
  query.set("view", place.view);
  if (place.graph !== null) query.set("graph", place.graph);
  if (place.beside !== null) query.set("beside", place.beside);
  if (place.blank) query.set("blank", "1");
  for (const [name, said] of Object.entries(writeReading(place.reading))) {
    if (said !== null) query.set(name, said);
  }
  if (place.scale !== "glass") query.set("scale", place.scale);
  if (place.lifted) query.set("lifted", "1");
  if (place.language !== null) query.set("lang", place.language);
  if (place.theme !== null) query.set("theme", place.theme);
  return `?${query}`;
}
