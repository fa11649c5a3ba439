// What the reader chooses about the pictures: the way of seeing, what it shows, and the colours.
import { ramp, type Ramp, type Scale } from "../design/ramp";
import type { Reader } from "../messages/reader.svelte";
import type { Preferences } from "../state/preferences.svelte";
import type { Step } from "../state/trail";
import type { Place } from "./address";
import type { GraphKind } from "./explaining/types";
import { PLAIN, type Reading } from "./reading";

type Chosen = Pick<Place, "view" | "graph" | "beside" | "blank" | "reading" | "scale" | "lifted">;

export abstract class Choices {
  view = $state("lines");
  /** What the graph's edges are, the word path's other sentence, and whether the source token is
   * hidden for the prediction. */
  graph = $state<GraphKind>("rollout");
  beside = $state<string | null>(null);
  blank = $state(false);
  /** How the weights are read, in the views that can show it. */
  reading = $state.raw<Reading>(PLAIN);
  scale = $state<Scale>("glass");
  lifted = $state(false);
  readonly colours: Ramp = $derived.by(() =>
    ramp(this.scale, this.preferences.theme, this.lifted),
  );

  readonly reader: Reader;

  constructor(readonly preferences: Preferences) {
    this.reader = preferences.reader;
  }

  /** The choice goes into the address. */
  abstract record(step: Step | null): void;

  /** All choices, as the address has them. */
  chosen(): Chosen {
    const { view, beside, blank, reading, scale, lifted } = this;
    const graph = this.graph === "rollout" ? null : this.graph;
    return { view, graph, beside, blank, reading, scale, lifted };
  }

  /** Take over what an address says. */
  protected choose({ view, graph, beside, blank, reading, scale, lifted }: Chosen): void {
    Object.assign(this, { view, graph: graph ?? "rollout", beside, blank, reading, scale, lifted });
  }

  chooseView(view: string): void {
    this.view = view;
    this.record("view");
  }

  chooseGraph(kind: GraphKind): void {
    this.graph = kind;
    this.record("view");
  }

  putBeside(text: string | null): void {
    this.beside = text;
    this.record("view");
  }

  hide(blank: boolean): void {
    this.blank = blank;
    this.record("view");
  }

  chooseScale(scale: Scale): void {
    this.scale = scale;
    this.record(null);
  }

  lift(lifted: boolean): void {
    this.lifted = lifted;
    this.record(null);
  }
}
