// The Explore room: what is looked at, and how it comes here.
//
// `layer`, `head` and `token` are what the reader asked for; `shown` is what has arrived. The
// panes draw `shown`, all of one piece, so that a picture never mixes two heads.
import { ServerGone, StudioError } from "../protocol/client";
import { connection } from "../protocol/connection.svelte";
import type { Before } from "../protocol/queue";
import { asked, source } from "../protocol/source";
import type { ErrorValues, ModelCard, Studio, Token, Trace } from "../protocol/types";
import { ramp, type Ramp, type Scale } from "../design/ramp";
import { readPlace, writePlace, type Place, type Source, type ViewName } from "../state/address";
import { rooms } from "../state/rooms.svelte";
import type { Step } from "../state/trail";
import { preferences } from "../state/preferences.svelte";
import { reader } from "../messages/catalogue.svelte";
import { firstHead, type HeadMaps } from "./first_head";
import { strongestLinks, type Link } from "./links";
import { Patterns } from "./patterns";
import { firstSource, sameSource, stillThere } from "./words";

export interface Problem {
  code: string;
  values: ErrorValues;
  message: string;
}

export interface Shown {
  trace: Trace;
  patterns: Patterns;
  layer: number;
  head: number;
  token: number | null;
  /** All weights [tokens × tokens], where they have come; null for a long text. */
  matrix: Float32Array | null;
  /** The source token's weights; null without a source token. */
  row: Float32Array | null;
  /** Without a source token: the head's strongest links. Null where the text is too long. */
  links: Link[] | null;
}

/** Texts longer than this have no picture of all their links. */
export const LONGEST_LINKED = 512;
const WAIT_WHILE_TYPING = 450;
const RETRY_EVERY = 2500;

class Room {
  studio = $state.raw<Studio | null>(null);
  text = $state("");
  model = $state("");
  trace = $state.raw<Trace | null>(null);
  pooled = $state.raw<HeadMaps | null>(null);
  shown = $state.raw<Shown | null>(null);
  layer = $state(0);
  head = $state(0);
  token = $state<number | null>(null);
  /** The token looked at whose weight is worked out; null for the strongest. */
  key = $state<number | null>(null);
  view = $state<ViewName>("lines");
  scale = $state<Scale>("glass");
  lifted = $state(false);
  readonly colours: Ramp = $derived(ramp(this.scale, preferences.theme, this.lifted));
  /** The token under the mouse or the keyboard's cursor, in any of the pictures. */
  pointed = $state<number | null>(null);
  busy = $state(false);
  /** How many texts of others come before the one that is asked for. */
  before = $state<Before>(null);
  problem = $state.raw<Problem | null>(null);

  readonly card: ModelCard | null = $derived(
    this.studio?.models.find((card) => card.name === this.model) ?? null,
  );
  readonly tokens: readonly Token[] = $derived(this.trace?.tokens ?? []);

  /** Studio does not answer; what is on the page stays there. */
  get gone(): boolean {
    return connection.gone;
  }

  #patterns: Patterns | null = null;
  #tracing = new AbortController();
  #looking = new AbortController();
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** What is asked for again when Studio is back; the text goes before the head. */
  #owed: { text: boolean; forget: () => void } | null = null;
  #traced = { model: "", text: "" };
  /** What the address names: what is traced, or was asked for and may still come. */
  #asked = this.#traced;
  /** How often a trace was made again without a picture coming of it. */
  #remade = 0;
  #begun = false;

  /** Once, when the room is first entered. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    rooms.opened("explore", {
      visit: () => this.#visit(readPlace(asked())),
      address: () => writePlace(this.#place()),
    });
    await this.#open();
  }

  async #open(): Promise<void> {
    try {
      this.studio = await source().getStudio();
      this.#visit(readPlace(asked()));
    } catch (problem) {
      this.#fail(problem, () => this.#open(), true);
    }
  }

  /** Go where an address says. */
  #visit(place: Place): void {
    if (!this.studio) return;
    this.view = place.view;
    this.key = place.key;
    this.scale = place.scale;
    this.lifted = place.lifted;
    const named = source().fixed ? null : place;
    this.text = named?.text ?? this.studio.default_text;
    this.model = named?.model ?? this.studio.default_model;
    const same = this.text === this.#traced.text && this.model === this.#traced.model;
    if (same && this.trace) {
      if (this.#asked !== this.#traced) this.#callOff();
      this.problem = null;
      this.#settle(this.trace, place, this.trace);
      void this.#look();
    } else {
      void this.#run(place, null);
    }
  }

  // What the reader does ------------------------------------------------------------------------

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#run(null, "typing"), WAIT_WHILE_TYPING);
  }

  submit(): void {
    clearTimeout(this.#typing);
    const same = this.text === this.#traced.text && this.model === this.#traced.model;
    if (same && this.trace && !this.problem && this.#asked === this.#traced) return;
    void this.#run(null, "text");
  }

  chooseModel(name: string): void {
    clearTimeout(this.#typing);
    this.model = name;
    void this.#run(null, "model");
  }

  chooseHead(layer: number, head: number): void {
    if (!this.trace) return;
    const [layers, heads] = [this.trace.num_layers, this.trace.num_heads];
    this.layer = Math.min(layers - 1, Math.max(0, layer));
    this.head = Math.min(heads - 1, Math.max(0, head));
    this.#record("head");
    void this.#look();
  }

  chooseToken(token: number | null): void {
    if (!this.trace) return;
    if (token === null) this.pointed = null; // else the picture would not change
    this.token =
      token === null ? null : Math.min(this.trace.tokens.length - 1, Math.max(0, token));
    this.#record("token");
    void this.#look();
  }

  /** Work out how the weight of this token came about. */
  chooseKey(key: number): void {
    this.key = key;
    this.chooseView(source().getArithmetic ? "arithmetic" : this.view);
  }

  chooseView(view: ViewName): void {
    this.view = view;
    this.#record("view");
  }

  chooseScale(scale: Scale): void {
    this.scale = scale;
    this.#record(null);
  }

  lift(lifted: boolean): void {
    this.lifted = lifted;
    this.#record(null);
  }

  link(): string {
    return location.href.replace(/[?#].*$/s, "") + writePlace(this.#place());
  }

  tryAgain(): void {
    void connection.ask();
  }

  /** A picture asked for something of its own and did not get it: it is shown anew, and asks
   * again, once that can help. */
  failed(problem: unknown): void {
    this.#fail(problem, () => this.#look());
  }

  // How it comes here ---------------------------------------------------------------------------

  async #run(place: Place | null, step: Step | null): Promise<void> {
    this.#tracing.abort();
    const { signal } = (this.#tracing = new AbortController());
    const question = { model: this.model, text: this.text };
    this.#forgive();
    this.busy = true;
    this.before = null;
    this.#asked = question;
    if (step) this.#record(step); // a page that is closed now opens again with this text
    try {
      const tell = (before: Before): void => void (this.before = before);
      const trace = await source().postTrace(question, reader.language, signal, tell);
      this.problem = null;
      const before = this.trace;
      this.#patterns = new Patterns(trace);
      this.trace = trace;
      this.#traced = question;
      if (this.pooled && before?.id !== trace.id) this.pooled = null;
      const maps = this.#fillWindow(trace, signal);
      if (!before && !(place?.layer != null || place?.head != null)) {
        Object.assign(this, firstHead(await maps, trace.tokens, firstSource(trace.tokens)));
        if (signal.aborted) return;
      }
      this.#settle(trace, place, before);
      this.#record(null);
      await Promise.all([maps, this.#look()]);
    } catch (problem) {
      this.#fail(problem, () => this.#run(place, step), true);
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** The text asked for is not wanted any more: the last one stays. */
  #callOff(): void {
    this.#tracing.abort();
    this.#forgive();
    this.#asked = this.#traced;
    this.busy = false;
    this.before = null;
  }

  async #fillWindow(trace: Trace, signal: AbortSignal): Promise<HeadMaps> {
    const { header, values } = await source().getPooled(trace.id, signal);
    this.pooled = {
      side: header.shape[2] ?? 0,
      values: values as Uint8Array,
      scale: header["scale"] as number[][],
      aggregated: header.aggregated,
    };
    return this.pooled;
  }

  /** Layer, head and token for a new trace: the place's, where they exist; else the nearest. */
  #settle(trace: Trace, place: Place | null, before: Trace | null = null): void {
    const [layers, heads] = [trace.num_layers, trace.num_heads];
    const layer = place?.layer ?? this.layer;
    const head = place?.head ?? this.head;
    if (place && layer >= layers) {
      this.#say("layer_out_of_range", { layer, num_layers: layers });
    } else if (place && head >= heads) {
      this.#say("head_out_of_range", { head, num_heads: heads });
    }
    this.layer = Math.min(layer, layers - 1);
    this.head = Math.min(head, heads - 1);
    this.token = this.#source(trace, place?.token ?? null, before);
    if (before && before.text !== trace.text) this.key = null;
    if (this.key !== null && this.key >= trace.tokens.length) this.key = null;
  }

  #source(trace: Trace, wanted: Source, before: Trace | null): number | null {
    if (wanted === "none") return null;
    if (wanted !== null) return Math.min(wanted, trace.tokens.length - 1);
    if (!before) return firstSource(trace.tokens);
    if (this.token === null) return null;
    return stillThere(before, trace, this.token)
      ? sameSource(before.tokens, trace.tokens, this.token)
      : firstSource(trace.tokens);
  }

  /** Fetch what the chosen head and token show. A newer look makes an older one stop. */
  async #look(): Promise<void> {
    this.#looking.abort();
    const { signal } = (this.#looking = new AbortController());
    const [patterns, layer, head, token] = [this.#patterns, this.layer, this.head, this.token];
    if (!patterns) return;
    const size = patterns.size;
    try {
      let matrix: Float32Array | null = null;
      let row: Float32Array | null = null;
      let links: Link[] | null = null;
      if (patterns.whole || (token === null && size <= LONGEST_LINKED)) {
        matrix = await patterns.matrix(layer, head, signal);
      }
      if (token === null) {
        links = matrix && strongestLinks(matrix, size, Math.max(200, 2 * size), 0.02);
      } else {
        row = matrix
          ? matrix.subarray(token * size, (token + 1) * size)
          : await patterns.row(layer, head, token, signal);
      }
      if (signal.aborted) return;
      this.shown = { trace: patterns.trace, patterns, layer, head, token, matrix, row, links };
      this.#remade = 0;
    } catch (problem) {
      this.#fail(problem, () => this.#look());
    }
  }

  #fail(problem: unknown, again: () => Promise<void>, text = false): void {
    if (problem instanceof DOMException && problem.name === "AbortError") return;
    if (problem instanceof ServerGone) {
      this.#owe(text, again, (now) => connection.whenBack(now));
    } else if (problem instanceof StudioError && problem.code === "trace_gone") {
      // Studio keeps few traces. It makes this one again, unless it cannot keep even that.
      this.#remade += 1;
      if (this.#remade < 3) void this.#run(null, null);
      else this.#say(problem.code, problem.values, problem.message);
    } else if (problem instanceof StudioError) {
      this.#say(problem.code, problem.values, problem.message);
      if (problem.code !== "studio_busy") {
        if (text && this.trace) {
          this.#asked = this.#traced;
          this.#record(null);
        }
      } else {
        this.#owe(text, again, (now) => {
          const timer = setTimeout(now, RETRY_EVERY);
          return () => clearTimeout(timer);
        });
      }
    } else {
      this.#say("unexpected", {}, String(problem));
    }
  }

  /** Ask again when `later` calls. A text that is owed is not forgotten for a head of the last. */
  #owe(text: boolean, again: () => Promise<void>, later: (now: () => void) => () => void): void {
    if (this.#owed?.text && !text) return;
    this.#forgive();
    const now = (): void => {
      this.#owed = null;
      void again();
    };
    this.#owed = { text, forget: later(now) };
  }

  #forgive(): void {
    this.#owed?.forget();
    this.#owed = null;
  }

  #say(code: string, values: ErrorValues, message = ""): void {
    this.problem = { code, values, message };
  }

  #place(): Place {
    return {
      model: source().fixed ? null : this.#asked.model || this.model || null,
      text: source().fixed ? null : this.#asked.model ? this.#asked.text : this.text,
      layer: this.trace ? this.layer : null,
      head: this.trace ? this.head : null,
      token: this.trace ? (this.token ?? "none") : null,
      key: this.trace ? this.key : null,
      view: this.view,
      scale: this.scale,
      lifted: this.lifted,
      language: preferences.chosenLanguage,
      theme: preferences.chosenTheme,
    };
  }

  #record(step: Step | null): void {
    rooms.record("explore", writePlace(this.#place()), step);
  }
}

export const room = new Room();
