// The ways of seeing a trace, in the order of their tabs: to add one is to add its record here. What
// few readers open first is fetched when it is opened.
import type { Component } from "svelte";

import type { MessageKey } from "../messages/reader.svelte";
import type { Source } from "../protocol/source";
import LinesView from "./lines/LinesView.svelte";
import HeadMap from "./map/HeadMap.svelte";
import NumbersView from "./NumbersView.svelte";
import { withinOneText } from "./parts";
import type { Shown } from "./shown";

export type ViewComponent = Component<{ shown: Shown }>;

export interface View {
  name: string;
  label: MessageKey;
  /** What it is about: one head, all of the text's layers, or a change that the reader makes. */
  reach: "head" | "text" | "change";
  /** Can the source of answers give what it needs? */
  possible: (source: Source) => boolean;
  /** It can show weights that are read in another way (reading.ts); `several`: several heads. */
  reads?: boolean;
  several?: boolean;
  /** Why it cannot show this part of a trace, in words; null where it can. Without it, it always
   * can. */
  refuses?: (shown: Shown) => MessageKey | null;
  fetch: () => Promise<{ default: ViewComponent }>;
}

function here(component: ViewComponent): View["fetch"] {
  const module = Promise.resolve({ default: component });
  return () => module;
}

const READ = { reads: true, several: true };
const always = (): boolean => true;
/** A page that carries its own trace has nobody to ask. */
const served = (source: Source): boolean => !source.fixed;

/** Layer upon layer a token's vector is mixed from those of its own text. */
function betweenTexts({ part }: Shown): MessageKey | null {
  return withinOneText(part) ? null : "studio.graph_between_texts";
}

/** What is asked of texts only: words, and runs of them that are changed. */
function notText({ trace }: Shown): MessageKey | null {
  return trace.surface?.kind === "picture" ? "studio.picture_text_only" : null;
}

/** An encoder–decoder answers where its decoder reads. */
function saysNothing(shown: Shown): MessageKey | null {
  const { trace, part } = shown;
  const reason = notText(shown);
  if (reason) return reason;
  return trace.parts.length > 1 && part.queries === "tokens" ? "studio.next_not_here" : null;
}

/** What runs the text again needs the model, which a trace from a file comes without. */
function notRun(shown: Shown): MessageKey | null {
  return notText(shown) ?? (shown.trace.opened === null ? null : "studio.view_needs_model");
}

/** Weights that a model works out in a way of its own are told, and cannot be set. */
function notTouched(shown: Shown): MessageKey | null {
  return shown.part.computed ? notRun(shown) : "studio.touch_not_here";
}

/** One head, seen in one way: what every source can give, and what it takes one question for. */
const OF_A_HEAD: readonly [View, ...View[]] = [
  { name: "lines", label: "studio.view_lines", reach: "head", possible: always, ...READ, fetch: here(LinesView) },
  { name: "map", label: "studio.view_map", reach: "head", possible: always, ...READ, fetch: here(HeadMap) },
  { name: "numbers", label: "studio.view_numbers", reach: "head", possible: always, ...READ, fetch: here(NumbersView) },
];

/** One head, worked out: what a page that carries its own trace holds too little for. */
const WORKED_OUT: readonly View[] = __COMPUTED__
  ? [
      {
        name: "components",
        label: "studio.view_components",
        reach: "head",
        possible: (source) => source.getQueryKey !== null,
        fetch: () => import("./arithmetic/QueryKeyView.svelte"),
      },
      {
        name: "arithmetic",
        label: "studio.view_arithmetic",
        reach: "head",
        possible: (source) => source.getArithmetic !== null,
        fetch: () => import("./arithmetic/ArithmeticView.svelte"),
      },
    ]
  : [];

/** What asks a Studio, about all of the text or about the text run again. A page that carries its
 * own trace, and a notebook's widget, are built without. */
const OF_A_STUDIO: readonly View[] = __SERVED__
  ? [
      {
        name: "heads",
        label: "studio.view_heads",
        reach: "text",
        possible: served,
        fetch: () => import("./explaining/HeadsView.svelte"),
      },
      {
        name: "graph",
        label: "studio.view_graph",
        reach: "text",
        possible: served,
        reads: true,
        refuses: betweenTexts,
        fetch: () => import("./explaining/GraphView.svelte"),
      },
      {
        name: "path",
        label: "studio.view_path",
        reach: "text",
        possible: served,
        fetch: () => import("./explaining/PathView.svelte"),
      },
      {
        name: "next",
        label: "studio.view_next",
        reach: "text",
        possible: served,
        refuses: saysNothing,
        fetch: () => import("./explaining/NextView.svelte"),
      },
      {
        name: "touch",
        label: "studio.view_touch",
        reach: "change",
        possible: served,
        refuses: notTouched,
        fetch: () => import("./touch/TouchView.svelte"),
      },
      {
        name: "compare",
        label: "studio.view_compare",
        reach: "change",
        possible: served,
        refuses: notRun,
        fetch: () => import("./compare/CompareView.svelte"),
      },
    ]
  : [];

export const VIEWS: readonly [View, ...View[]] = [...OF_A_HEAD, ...WORKED_OUT, ...OF_A_STUDIO];

/** The views that there are for a source of answers. */
export function viewsOf(source: Source): View[] {
  return VIEWS.filter(
    (view) => view.possible(source) && (source.views?.includes(view.name) ?? true),
  );
}

/** The view of this name, or the first where there is none for this source. */
export function viewOf(source: Source, name: string): View {
  const found = viewsOf(source);
  return found.find((view) => view.name === name) ?? VIEWS[0];
}
