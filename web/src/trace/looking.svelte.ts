// What is looked at of a trace: a part of the model, a head, a token; and what of it has come.
//
// `layer`, `head` and `token` are what the reader asked for; `shown` is what has arrived, and what
// the panes draw.
import { StudioError } from "../protocol/client";
import { problemOf, type Problem } from "../protocol/problem";
import type { Source } from "../protocol/source";
import type { Part, Token, Trace } from "../protocol/types";
import type { Preferences } from "../state/preferences.svelte";
import type { Step } from "../state/trail";
import type { Place } from "./address";
import { Choices } from "./choices.svelte";
import { firstHead, type HeadMaps } from "./first_head";
import { keysOf, layerOf, partOf, queriesOf } from "./parts";
import { Patterns } from "./patterns";
import { MOST_OVERLAID, nameOf, type Reading } from "./reading";
import { settled, type Earlier } from "./settled";
import { fetchShown, type Shown } from "./shown";
import { firstOf } from "./surfaces/kinds";
import { viewOf } from "./views";

/** Is what is shown of these heads, drawn in this way? */
function sameHeads(shown: Shown, heads: readonly number[] | null, overlay: boolean): boolean {
  const overlaid = overlay && heads !== null && heads.length <= MOST_OVERLAID;
  return String(shown.heads) === String(heads) && (shown.overlaid !== null) === overlaid;
}

export abstract class Looking extends Choices {
  /** The trace as it is read: other tokens and other weights than those of `base`, where the
   * reader chose so and the view can show it. */
  trace = $state.raw<Trace | null>(null);
  /** The trace as it was made. */
  base = $state.raw<Trace | null>(null);
  /** The small maps of all heads. */
  pooled = $state.raw<HeadMaps | null>(null);
  shown = $state.raw<Shown | null>(null);
  /** The name of the part looked at, one of the trace's. */
  part = $state("");
  layer = $state(0);
  head = $state(0);
  token = $state<number | null>(null);
  /** The token looked at whose weight is worked out; null for the strongest. */
  key = $state<number | null>(null);
  /** The token under the mouse or the keyboard's cursor, in any of the pictures. */
  pointed = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);

  readonly lookedAt: Part | null = $derived(this.trace && partOf(this.trace, this.part));
  /** The tokens that look. */
  readonly tokens: readonly Token[] = $derived(
    this.trace && this.lookedAt ? queriesOf(this.trace, this.lookedAt) : [],
  );

  /** The view that is open; what it shows of the ways of reading. */
  readonly #view = $derived.by(() => viewOf(this.source, this.view));
  /** Several heads together, where the view shows them. */
  readonly heads: readonly number[] | null = $derived.by(() => {
    const most = this.lookedAt?.num_heads ?? 0;
    const heads = this.#view.several ? this.reading.heads?.filter((head) => head < most) : null;
    return heads && heads.length > 1 ? heads : null;
  });

  /** How often a trace was made again without a picture coming of it. */
  protected remade = 0;
  #patterns: Patterns | null = null;
  #looking = new AbortController();
  #filling = new AbortController();
  #rereading = new AbortController();
  #refused: Problem | null = null;

  constructor(
    readonly source: Source,
    preferences: Preferences,
  ) {
    super(preferences);
  }

  /** Say what went wrong, or ask `again` when that can help. */
  protected abstract fail(problem: unknown, again: () => Promise<void>): void;

  // What the reader does ------------------------------------------------------------------------

  choosePart(name: string): void {
    if (!this.trace || name === this.part) return;
    this.#turn(name);
    this.record("part");
    void this.#look();
  }

  chooseHead(layer: number, head: number): void {
    if (!this.lookedAt) return;
    const { num_heads } = this.lookedAt;
    // Several heads stay together in another layer, until one is chosen among them.
    if (layer === this.layer || head !== this.head) this.reading = { ...this.reading, heads: null };
    this.layer = layerOf(this.lookedAt, layer, this.layer);
    this.head = Math.min(num_heads - 1, Math.max(0, head));
    this.record("head");
    void this.#look();
  }

  /** A head of another part, too. */
  chooseHeadOf(part: string, layer: number, head: number): void {
    this.#turn(part);
    this.chooseHead(layer, head);
  }

  chooseToken(token: number | null): void {
    if (!this.trace) return;
    if (token === null) this.pointed = null; // else the picture would not change
    this.token =
      token === null ? null : Math.min(this.tokens.length - 1, Math.max(0, token));
    this.record("token");
    void this.#look();
  }

  /** Read the weights in another way. */
  chooseReading(reading: Reading): void {
    this.reading = reading;
    this.record("view");
    this.#seeAsRead();
  }

  override chooseView(view: string): void {
    super.chooseView(view);
    this.#seeAsRead();
  }

  /** Work out how the weight of this token came about. */
  chooseKey(key: number): void {
    this.key = key;
    this.chooseView(this.source.getArithmetic ? "arithmetic" : this.view);
  }

  /** A picture asked for something of its own and did not get it: it is shown anew, and asks
   * again, once that can help. */
  readonly failed = (problem: unknown): void => {
    this.fail(problem, () => this.#look());
  };

  /** Drop what is still on its way. */
  protected stopLooking(): void {
    this.#looking.abort();
    this.#filling.abort();
    this.#rereading.abort();
  }

  // How it is read ------------------------------------------------------------------------------

  /** The id of a trace as the reader wants to see it in this view. */
  #idAsRead(base: Trace): string {
    const name = this.#view.reads && this.source.getTrace ? nameOf(this.reading) : "";
    return name ? `${base.id}~${name}` : base.id;
  }

  /** A trace as the reader wants to see it; as it is, with a line that says why, where it cannot
   * be. */
  async #read(base: Trace, signal: AbortSignal): Promise<Trace> {
    try {
      return (await this.source.getTrace?.(this.#idAsRead(base), signal)) ?? base;
    } catch (problem) {
      if (!(problem instanceof StudioError && problem.code.startsWith("reading_"))) throw problem;
      this.reading = { ...this.reading, resting: true, words: false };
      this.#refused = problemOf(problem);
      return base;
    }
  }

  /** The way of reading, or the view, is another: fetch what it shows. */
  #seeAsRead(): void {
    const { base, shown, trace } = this;
    if (!base || !trace) return;
    if (trace.id !== this.#idAsRead(base)) void this.#reread(base, null);
    else if (shown && !sameHeads(shown, this.heads, this.reading.overlay)) void this.#look();
  }

  async #reread(base: Trace, place: Place | null): Promise<void> {
    this.#rereading.abort();
    const { signal } = (this.#rereading = new AbortController());
    try {
      await this.arrive(base, place, null, signal);
    } catch (problem) {
      this.fail(problem, () => this.#reread(base, place));
    }
  }

  // How it comes here ---------------------------------------------------------------------------

  /** A trace is here: settle on a part, a head and a token of it, and look. */
  protected async arrive(
    base: Trace,
    place: Place | null,
    step: Step | null,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal !== this.#rereading.signal) this.#rereading.abort();
    this.problem = this.#refused = null;
    let trace = base;
    if (this.#idAsRead(base) !== base.id) {
      trace = await this.#read(base, signal);
      if (signal.aborted) return;
      this.problem = this.#refused;
    }
    const before = this.trace && { trace: this.trace, tokens: this.tokens };
    this.base = base;
    this.trace = trace;
    if (this.pooled && before?.trace.id !== trace.id) this.pooled = null;
    const part = partOf(trace, place?.part ?? this.part);
    this.part = part.name;
    this.#patterns = new Patterns(this.source, trace, part);
    const maps = this.#fillWindow(trace, part);
    if (!before && !(place?.layer != null || place?.head != null)) {
      const [queries, keys] = [queriesOf(trace, part), keysOf(trace, part)];
      const { causal, name } = part;
      const writes = (await this.source.getWrites?.(base.id, name, signal).catch(() => null)) ?? null;
      const source = firstOf(trace, part.queries, queries);
      Object.assign(this, firstHead(await maps, queries, source, keys, { causal, writes }));
      if (signal.aborted) return;
    }
    this.#settle(trace, place, before);
    this.record(step);
    await Promise.all([maps, this.#look()]);
  }

  /** Go to another place in the trace that is here. */
  protected go(trace: Trace, place: Place): void {
    this.problem = null;
    if (this.base && trace.id !== this.#idAsRead(this.base)) {
      void this.#reread(this.base, place);
      return;
    }
    this.#turn(place.part ?? this.part);
    this.#settle(trace, place, { trace, tokens: this.tokens });
    void this.#look();
  }

  #settle(trace: Trace, place: Place | null, before: Earlier | null): void {
    const part = partOf(trace, this.part);
    const { problem, ...aim } = settled(trace, part, place, before, this);
    Object.assign(this, aim);
    if (problem) this.problem = problem;
  }

  /** Another part of the same trace: its own window, and a token among those that look in it. */
  #turn(name: string): void {
    const trace = this.trace;
    if (!trace || partOf(trace, name).name === this.part) return;
    const [before, part] = [this.tokens, partOf(trace, name)];
    this.part = part.name;
    this.#patterns = new Patterns(this.source, trace, part);
    this.pooled = null;
    this.pointed = null;
    this.key = null;
    this.layer = layerOf(part, this.layer);
    this.head = Math.min(this.head, part.num_heads - 1);
    if (this.token !== null && this.tokens !== before) {
      this.token = firstOf(trace, part.queries, this.tokens);
    }
    this.#fillWindow(trace, part).catch((problem: unknown) => this.failed(problem));
  }

  async #fillWindow(trace: Trace, part: Part): Promise<HeadMaps> {
    this.#filling.abort();
    const { signal } = (this.#filling = new AbortController());
    const { header, values } = await this.source.getPooled(trace.id, part.name, signal);
    this.pooled = {
      height: header.shape[2] ?? 0,
      width: header.shape[3] ?? 0,
      values: values as Uint8Array,
      scale: header["scale"] as number[][],
      aggregated: header.aggregated,
    };
    return this.pooled;
  }

  /** Fetch what the chosen head and token show. A newer look makes an older one stop. */
  async #look(): Promise<void> {
    this.#looking.abort();
    const { signal } = (this.#looking = new AbortController());
    if (!this.#patterns) return;
    try {
      const shown = await fetchShown(this.#patterns, this, this.reading.overlay, signal);
      if (signal.aborted) return;
      this.shown = shown;
      this.remade = 0;
    } catch (problem) {
      this.fail(problem, () => this.#look());
    }
  }
}
