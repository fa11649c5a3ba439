// The ways of seeing a text, in the order of their tabs. What few readers open first is fetched
// when it is opened.
import type { Component } from "svelte";

import type { MessageKey } from "../messages/catalogue.svelte";
import { source } from "../protocol/source";
import type { ViewName } from "../state/address";
import LinesView from "./LinesView.svelte";
import HeadMap from "./HeadMap.svelte";
import NumbersView from "./NumbersView.svelte";
import type { Shown } from "./room.svelte";

export type ViewComponent = Component<{ shown: Shown }>;

export interface View {
  name: ViewName;
  label: MessageKey;
  /** What it is about: one head, all of the text's layers, or a change that the reader makes. */
  reach: "head" | "text" | "change";
  /** Can the source of answers give what it needs? */
  possible: () => boolean;
  fetch: () => Promise<{ default: ViewComponent }>;
}

function here(component: ViewComponent): View["fetch"] {
  const module = Promise.resolve({ default: component });
  return () => module;
}

const always = (): boolean => true;

const ALL: readonly View[] = [
  { name: "lines", label: "studio.view_lines", reach: "head", possible: always, fetch: here(LinesView) },
  { name: "map", label: "studio.view_map", reach: "head", possible: always, fetch: here(HeadMap) },
  { name: "numbers", label: "studio.view_numbers", reach: "head", possible: always, fetch: here(NumbersView) },
  {
    name: "arithmetic",
    label: "studio.view_arithmetic",
    reach: "head",
    possible: () => source().getArithmetic !== null,
    fetch: () => import("./ArithmeticView.svelte"),
  },
];

/** The views that there are for this source of answers. */
export function views(): View[] {
  return ALL.filter((view) => view.possible());
}

/** The view of this name, or the first where there is none for this source. */
export function viewOf(name: ViewName): View {
  const found = views();
  return found.find((view) => view.name === name) ?? (found[0] as View);
}
