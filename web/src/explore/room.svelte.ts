// The Explore room: what is looked at, and how it comes here.
//
// `layer`, `head` and `token` are what the reader asked for; `shown` is what has arrived. The
// panes draw `shown`, all of one piece, so that a picture never mixes two heads.
import { ServerGone, StudioError } from "../protocol/client";
import { connection } from "../protocol/connection.svelte";
import type { Before } from "../protocol/queue";
import { asked, source } from "../protocol/source";
import type {
  ErrorValues,
  ModelCard,
  Part,
  Question,
  Studio,
  Token,
  Trace,
} from "../protocol/types";
import { ramp, type Ramp, type Scale } from "../design/ramp";
import type { GraphKind } from "../explaining/types";
import { readPlace, writePlace, type Place, type Source, type ViewName } from "../state/address";
import { rooms } from "../state/rooms.svelte";
import type { Step } from "../state/trail";
import { preferences } from "../state/preferences.svelte";
import { reader } from "../messages/catalogue.svelte";
import { comparing } from "../compare/comparing.svelte";
import { touching } from "../touch/touching.svelte";
import { firstHead, type HeadMaps } from "./first_head";
import { strongestLinks, type Link } from "./links";
import { keysOf, partOf, queriesOf } from "./parts";
import { Patterns } from "./patterns";
import { checkTraceFile } from "./trace_file";
import { firstSource, sameSource, stillThere } from "./words";

export interface Problem {
  code: string;
  values: ErrorValues;
  message: string;
}

export interface Shown {
  trace: Trace;
  part: Part;
  /** The tokens that look in this part, and those looked at: mostly the same. */
  queries: readonly Token[];
  keys: readonly Token[];
  patterns: Patterns;
  layer: number;
  head: number;
  /** The source token's place among the queries. */
  token: number | null;
  /** All weights [queries × keys], where they have come; null for a long text. */
  matrix: Float32Array | null;
  /** The source token's weights; null without a source token. */
  row: Float32Array | null;
  /** Without a source token: the head's strongest links. Null where the text is too long. */
  links: Link[] | null;
}

/** A trace that was read from a file; the file itself is at hand until the page is left. */
export interface Opened {
  id: string;
  name: string;
  model: string;
  file: File | null;
}

/** What was looked at before, and its tokens that look. */
interface Earlier {
  trace: Trace;
  tokens: readonly Token[];
}

/** Texts longer than this have no picture of all their links. */
export const LONGEST_LINKED = 512;
/** Texts with more characters are read when asked for, not while somebody writes, and stand in the
 * page's address by the trace that Studio keeps of them. */
export const LONGEST_QUICK = 6000;
const WAIT_WHILE_TYPING = 450;
const RETRY_EVERY = 2500;

class Room {
  studio = $state.raw<Studio | null>(null);
  text = $state("");
  model = $state("");
  /** What the reader has an encoder–decoder's decoder read; "" where the model is to write it. */
  answer = $state("");
  trace = $state.raw<Trace | null>(null);
  opened = $state.raw<Opened | null>(null);
  pooled = $state.raw<HeadMaps | null>(null);
  shown = $state.raw<Shown | null>(null);
  /** The name of the part looked at, one of the trace's. */
  part = $state("");
  layer = $state(0);
  head = $state(0);
  token = $state<number | null>(null);
  /** The token looked at whose weight is worked out; null for the strongest. */
  key = $state<number | null>(null);
  view = $state<ViewName>("lines");
  /** What the graph's edges are, the word path's other sentence, and whether the source token is
   * hidden for the prediction. */
  graph = $state<GraphKind>("rollout");
  beside = $state<string | null>(null);
  blank = $state(false);
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
  readonly lookedAt: Part | null = $derived(this.trace && partOf(this.trace, this.part));
  /** The tokens that look. */
  readonly tokens: readonly Token[] = $derived(
    this.trace && this.lookedAt ? queriesOf(this.trace, this.lookedAt) : [],
  );
  /** A long text stands in the box that nobody has asked to be read. */
  readonly unread: boolean = $derived(
    this.text.length > LONGEST_QUICK && !this.busy && !this.problem && this.text !== this.trace?.text,
  );

  /** Studio does not answer; what is on the page stays there. */
  get gone(): boolean {
    return connection.gone;
  }

  #patterns: Patterns | null = null;
  #tracing = new AbortController();
  #looking = new AbortController();
  #filling = new AbortController();
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** What is asked for again when Studio is back; the text goes before the head. */
  #owed: { text: boolean; forget: () => void } | null = null;
  #traced: Question = { model: "", text: "", answer: null };
  /** What the address names: what is traced, or was asked for and may still come. */
  #named = this.#traced;
  /** How often a trace was made again without a picture coming of it. */
  #remade = 0;
  #begun = false;

  /** Once, when the room is first entered. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    rooms.opened("explore", {
      visit: () => this.#visit(readPlace(asked())),
      address: () => this.#address(),
    });
    touching.begin(() => void this.#run(null, "touch"), () => this.#record("touch"));
    comparing.begin(() => this.#record("compare"));
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
    this.graph = place.graph ?? "rollout";
    this.beside = place.beside;
    this.blank = place.blank;
    this.key = place.key;
    this.scale = place.scale;
    this.lifted = place.lifted;
    const named = source().fixed ? null : place;
    if (named?.trace != null) {
      this.text ||= this.studio.default_text;
      this.model ||= this.studio.default_model;
      void this.#revisit(named.trace, place);
      return;
    }
    this.opened = null;
    this.text = named?.text ?? this.studio.default_text;
    this.model = named?.model ?? this.studio.default_model;
    this.answer = named?.answer ?? "";
    if (!this.card) void this.#list(); // one that was trained since
    comparing.visit(asked());
    const untouched = touching.visit(asked(), this.#asked());
    if (untouched && this.#isTraced() && this.trace) {
      if (this.#named !== this.#traced) this.#callOff();
      this.problem = null;
      this.#choosePart(place.part ?? this.part);
      this.#settle(this.trace, place, { trace: this.trace, tokens: this.tokens });
      void this.#look();
    } else {
      void this.#run(place, null);
    }
  }

  #asked(): Question {
    return { model: this.model, text: this.text, answer: this.answer.trim() ? this.answer : null };
  }

  /** Is the trace on the page that of what the reader asks for? */
  #isTraced(): boolean {
    const { model, text, answer } = this.#asked();
    const traced = this.#traced;
    return text === traced.text && model === traced.model && answer === traced.answer;
  }

  /** Ask again which models there are. What fails here is told where one is asked for. */
  async #list(): Promise<void> {
    this.studio = await source().getStudio().catch(() => this.studio);
  }

  // What the reader does ------------------------------------------------------------------------

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#typing);
    if (text.length > LONGEST_QUICK) return;
    this.#typing = setTimeout(() => void this.#run(null, "typing"), WAIT_WHILE_TYPING);
  }

  /** What the decoder is to read; nothing has the model write its answer itself. */
  typeAnswer(answer: string): void {
    this.answer = answer;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#run(null, "typing"), WAIT_WHILE_TYPING);
  }

  submit(): void {
    clearTimeout(this.#typing);
    const kept = this.#isTraced() && this.#named === this.#traced;
    if (kept && this.trace && !this.problem) return;
    void this.#run(null, "text");
  }

  /** Put a text into the box and read it. */
  read(text: string): void {
    this.text = text;
    this.submit();
  }

  chooseModel(name: string): void {
    clearTimeout(this.#typing);
    this.model = name;
    this.answer = "";
    void this.#run(null, "model");
  }

  /** Look at a file's trace. What was on the page stays until it is there. */
  async openFile(file: File): Promise<void> {
    const open = source().postTraceFile;
    if (!open || !this.studio) return;
    this.#tracing.abort();
    const { signal } = (this.#tracing = new AbortController());
    this.busy = true;
    try {
      await checkTraceFile(file, this.studio.max_trace_file_bytes);
      await this.#showFile(await open(file, reader.language, signal), file, null, "file", signal);
    } catch (problem) {
      this.#fail(problem, () => this.openFile(file));
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** Go back from a file's trace to the text and the model of before. */
  closeFile(): void {
    this.opened = null;
    if (this.studio && !this.studio.models.some((card) => card.name === this.model)) {
      this.model = this.studio.default_model;
    }
    void this.#run(null, "file");
  }

  choosePart(name: string): void {
    if (!this.trace || name === this.part) return;
    this.#choosePart(name);
    this.#record("part");
    void this.#look();
  }

  chooseHead(layer: number, head: number): void {
    if (!this.lookedAt) return;
    const { num_layers, num_heads } = this.lookedAt;
    this.layer = Math.min(num_layers - 1, Math.max(0, layer));
    this.head = Math.min(num_heads - 1, Math.max(0, head));
    this.#record("head");
    void this.#look();
  }

  chooseToken(token: number | null): void {
    if (!this.trace) return;
    if (token === null) this.pointed = null; // else the picture would not change
    this.token =
      token === null ? null : Math.min(this.tokens.length - 1, Math.max(0, token));
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

  chooseGraph(kind: GraphKind): void {
    this.graph = kind;
    this.#record("view");
  }

  putBeside(text: string | null): void {
    this.beside = text;
    this.#record("view");
  }

  hide(blank: boolean): void {
    this.blank = blank;
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
    return location.href.replace(/[?#].*$/s, "") + this.#address();
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
    const question = this.#asked();
    this.#forgive();
    this.busy = true;
    this.before = null;
    this.#named = question;
    if (step) this.#record(step); // a page that is closed now opens again with this text
    try {
      const tell = (before: Before): void => void (this.before = before);
      const trace = await touching.trace(question, signal, tell);
      this.#traced = this.#named = question;
      this.opened = null;
      await this.#arrive(trace, place, null, signal);
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
    this.#named = this.#traced;
    this.busy = false;
    this.before = null;
  }

  /** Go to a trace that Studio still keeps: a file's, or that of a text too long for an address. */
  async #revisit(id: string, place: Place): Promise<void> {
    const get = source().getTrace;
    if (!get) return;
    this.#tracing.abort();
    const { signal } = (this.#tracing = new AbortController());
    this.busy = true;
    try {
      const trace = await get(id, signal);
      if (trace.opened === null) {
        this.opened = null;
        this.model = trace.model;
        this.text = trace.text;
        this.answer = trace.answer?.given ? trace.answer.text : "";
        this.#traced = this.#named = this.#asked();
        await this.#arrive(trace, place, null, signal);
        return;
      }
      const file = this.opened?.id === id ? this.opened.file : null;
      await this.#showFile(trace, file, place, null, signal);
    } catch (problem) {
      if (problem instanceof StudioError && problem.code === "trace_gone" && this.opened?.id !== id) {
        this.#say(place.model === null ? "trace_file_gone" : "link_gone", {});
        if (!this.trace) void this.#run(null, null); // something is to be seen beside the line
      } else this.#fail(problem, () => this.#revisit(id, place));
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** Show a file's trace: its text and its model are fixed. */
  async #showFile(
    trace: Trace,
    file: File | null,
    place: Place | null,
    step: Step | null,
    signal: AbortSignal,
  ): Promise<void> {
    const name = trace.opened ?? "";
    this.opened = { id: trace.id, name, model: trace.model, file };
    this.#traced = this.#named = { model: "", text: "", answer: null };
    await this.#arrive(trace, place, step, signal);
  }

  /** A trace is here: settle on a part, a head and a token of it, and look. */
  async #arrive(
    trace: Trace,
    place: Place | null,
    step: Step | null,
    signal: AbortSignal,
  ): Promise<void> {
    this.problem = null;
    const before = this.trace && { trace: this.trace, tokens: this.tokens };
    this.trace = trace;
    if (this.pooled && before?.trace.id !== trace.id) this.pooled = null;
    const part = partOf(trace, place?.part ?? this.part);
    this.part = part.name;
    this.#patterns = new Patterns(trace, part);
    const maps = this.#fillWindow(trace, part);
    if (!before && !(place?.layer != null || place?.head != null)) {
      const [queries, keys] = [queriesOf(trace, part), keysOf(trace, part)];
      Object.assign(this, firstHead(await maps, queries, firstSource(queries), keys));
      if (signal.aborted) return;
    }
    this.#settle(trace, place, before);
    this.#record(step);
    await Promise.all([maps, this.#look()]);
  }

  /** Another part of the same trace: its own window, and a token among those that look in it. */
  #choosePart(name: string): void {
    const trace = this.trace;
    if (!trace || partOf(trace, name).name === this.part) return;
    const [before, part] = [this.tokens, partOf(trace, name)];
    this.part = part.name;
    this.#patterns = new Patterns(trace, part);
    this.pooled = null;
    this.pointed = null;
    this.key = null;
    this.layer = Math.min(this.layer, part.num_layers - 1);
    this.head = Math.min(this.head, part.num_heads - 1);
    if (this.token !== null && this.tokens !== before) this.token = firstSource(this.tokens);
    this.#fillWindow(trace, part).catch((problem: unknown) => this.failed(problem));
  }

  async #fillWindow(trace: Trace, part: Part): Promise<HeadMaps> {
    this.#filling.abort();
    const { signal } = (this.#filling = new AbortController());
    const { header, values } = await source().getPooled(trace.id, part.name, signal);
    this.pooled = {
      height: header.shape[2] ?? 0,
      width: header.shape[3] ?? 0,
      values: values as Uint8Array,
      scale: header["scale"] as number[][],
      aggregated: header.aggregated,
    };
    return this.pooled;
  }

  /** Layer, head and token for a new trace: the place's, where they exist; else the nearest. */
  #settle(trace: Trace, place: Place | null, before: Earlier | null): void {
    const part = partOf(trace, this.part);
    const [layers, heads] = [part.num_layers, part.num_heads];
    const layer = place?.layer ?? this.layer;
    const head = place?.head ?? this.head;
    if (place?.part && place.part !== part.name) {
      const known = trace.parts.map((each) => each.name || "—").join(", ");
      this.#say("part_unknown", { part: place.part, known });
    } else if (place && layer >= layers) {
      this.#say("layer_out_of_range", { layer, num_layers: layers });
    } else if (place && head >= heads) {
      this.#say("head_out_of_range", { head, num_heads: heads });
    }
    this.layer = Math.min(layer, layers - 1);
    this.head = Math.min(head, heads - 1);
    this.token = this.#source(trace, place?.token ?? null, before);
    if (before && before.trace.text !== trace.text) this.key = null;
    if (this.key !== null && this.key >= keysOf(trace, part).length) this.key = null;
  }

  #source(trace: Trace, wanted: Source, before: Earlier | null): number | null {
    const tokens = this.tokens;
    if (wanted === "none") return null;
    if (wanted !== null) return Math.min(wanted, tokens.length - 1);
    if (!before) return firstSource(tokens);
    if (this.token === null) return null;
    const held = { text: before.trace.text, tokens: before.tokens };
    return stillThere(held, trace, this.token)
      ? sameSource(before.tokens, tokens, this.token)
      : firstSource(tokens);
  }

  /** Fetch what the chosen head and token show. A newer look makes an older one stop. */
  async #look(): Promise<void> {
    this.#looking.abort();
    const { signal } = (this.#looking = new AbortController());
    const [patterns, layer, head, token] = [this.#patterns, this.layer, this.head, this.token];
    if (!patterns) return;
    const { trace, part, size, width } = patterns;
    const [queries, keys] = [queriesOf(trace, part), keysOf(trace, part)];
    try {
      let matrix: Float32Array | null = null;
      let row: Float32Array | null = null;
      let links: Link[] | null = null;
      if (patterns.whole || (token === null && Math.max(size, width) <= LONGEST_LINKED)) {
        matrix = await patterns.matrix(layer, head, signal);
      }
      if (token === null) {
        links = matrix
          ? strongestLinks(matrix, width, Math.max(200, 2 * size), 0.02)
          : await patterns.strongest(layer, head, signal);
      } else {
        row = matrix
          ? matrix.subarray(token * width, (token + 1) * width)
          : await patterns.row(layer, head, token, signal);
      }
      if (signal.aborted) return;
      const where = { trace, part, queries, keys, patterns, layer, head, token };
      this.shown = { ...where, matrix, row, links };
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
      if (this.opened && !this.opened.file) this.#say("trace_file_gone", {});
      else if (this.#remade < 3) void (this.opened?.file ? this.openFile(this.opened.file) : this.#run(null, null));
      else this.#say(problem.code, problem.values, problem.message);
    } else if (problem instanceof StudioError) {
      this.#say(problem.code, problem.values, problem.message);
      if (problem.code !== "studio_busy") {
        if (text && this.trace) {
          this.#named = this.#traced;
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
    const free = !source().fixed && !this.opened;
    const question = this.#named.model ? this.#named : this.#asked();
    // A long text has no place in an address; while it runs, nothing stands for it yet.
    const long = question.text.length > LONGEST_QUICK;
    const kept = long && this.#named === this.#traced ? (this.trace?.id ?? null) : null;
    return {
      model: free ? question.model || null : null,
      text: free && !long ? question.text : null,
      answer: free ? question.answer : null,
      trace: this.opened?.id ?? (free ? kept : null),
      part: this.trace ? this.part : null,
      layer: this.trace ? this.layer : null,
      head: this.trace ? this.head : null,
      token: this.trace ? (this.token ?? "none") : null,
      key: this.trace ? this.key : null,
      view: this.view,
      graph: this.graph === "rollout" ? null : this.graph,
      beside: this.beside,
      blank: this.blank,
      scale: this.scale,
      lifted: this.lifted,
      language: preferences.chosenLanguage,
      theme: preferences.chosenTheme,
    };
  }

  #address(): string {
    return writePlace(this.#place()) + touching.address() + comparing.address();
  }

  #record(step: Step | null): void {
    rooms.record("explore", this.#address(), step);
  }
}

export const room = new Room();
