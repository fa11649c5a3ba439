// A picture of one text, read by one model: how its trace comes here, the edits and the comparison
// that belong to it, and its address. What is looked at of the trace is Looking's.
//
// A page may hold any number of pictures. Each gets what it depends on when it is made, and its
// components find it in their context.
import type { MessageKey } from "../messages/reader.svelte";
import { ServerGone, StudioError } from "../protocol/client";
import { problemFor, problemOf } from "../protocol/problem";
import type { Before } from "../protocol/queue";
import { Retry } from "../protocol/retry";
import type { Source } from "../protocol/source";
import type { ModelCard, Question, Studio } from "../protocol/types";
import type { AddressBar } from "../state/address_bar";
import type { Preferences } from "../state/preferences.svelte";
import type { Step } from "../state/trail";
import { readPlace, writePlace, type Place } from "./address";
import { Comparing } from "./compare/comparing.svelte";
import { HeadSentences } from "./explaining/head_sentences.svelte";
import { Looking } from "./looking.svelte";
import { Touching } from "./touch/touching.svelte";

/** A trace that Studio drops before any picture of it comes is made so often, and no more. */
const MOST_REMADE = 2;

export class Picture extends Looking {
  studio = $state.raw<Studio | null>(null);
  text = $state("");
  model = $state("");
  /** What the reader has an encoder–decoder's decoder read; "" where the model is to write it. */
  answer = $state("");
  busy = $state(false);
  /** How many texts of others come before the one that is asked for. */
  before = $state<Before>(null);
  /** What has to be chosen before anything can be shown; null where nothing has. */
  awaits = $state<MessageKey | null>(null);
  /** There is room for one column only. */
  narrow = $state(false);

  readonly touching: Touching;
  readonly comparing: Comparing;
  readonly headSentences: HeadSentences;

  readonly card: ModelCard | null = $derived(
    this.studio?.models.find((card) => card.name === this.model) ?? null,
  );

  protected tracing = new AbortController();
  protected readonly retry: Retry;
  protected traced: Question = { model: "", text: "", answer: null };
  /** What the address names: what is traced, or was asked for and may still come. */
  protected named = this.traced;
  #begun = false;
  readonly #states = new Map<unknown, unknown>();

  /** `prefix` begins the ids of the picture's elements: each picture of a page has its own. */
  constructor(
    source: Source,
    preferences: Preferences,
    private readonly bar: AddressBar,
    private readonly prefix = "",
  ) {
    super(source, preferences);
    this.retry = new Retry(source.connection);
    this.touching = new Touching(
      source,
      this.reader,
      () => void this.run(null, "touch"),
      () => this.record("touch"),
    );
    this.comparing = new Comparing(() => this.record("compare"));
    this.headSentences = new HeadSentences(source, this.reader);
  }

  /** Studio does not answer; what is on the page stays there. */
  get gone(): boolean {
    return this.source.connection?.gone ?? false;
  }

  /** The id of one of the picture's elements. */
  id(name: string): string {
    return this.prefix + name;
  }

  /** What one of the views keeps while others are open: made when it is first asked for. */
  stateOf<T>(Kept: new (picture: Picture) => T): T {
    // It outlives the view: what is derived in it must not end with the view's component.
    if (!this.#states.has(Kept)) $effect.root(() => void this.#states.set(Kept, new Kept(this)));
    return this.#states.get(Kept) as T;
  }

  /** Once, when the picture is first shown. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#open();
  }

  async #open(): Promise<void> {
    try {
      this.studio = await this.source.getStudio();
      this.visit(this.bar.read());
    } catch (problem) {
      this.fail(problem, () => this.#open(), true);
    }
  }

  /** It is shown no more: what is still asked for is not wanted. */
  close(): void {
    this.tracing.abort();
    this.retry.forget();
    this.stopLooking();
  }

  /** Go where an address says. */
  visit(address: string): void {
    if (!this.studio) return;
    const place = readPlace(address);
    this.choose(place);
    this.key = place.key;
    this.goTo(this.studio, place, address);
  }

  protected goTo(studio: Studio, place: Place, address: string): void {
    const named = this.source.fixed ? null : place;
    this.text = named?.text ?? studio.default_text;
    this.model = named?.model ?? studio.default_model;
    this.answer = named?.answer ?? "";
    if (!this.card) void this.#list(); // one that was trained since
    this.comparing.visit(address);
    const untouched = this.touching.visit(address, this.asked());
    if (untouched && this.isTraced() && this.trace) {
      if (this.named !== this.traced) this.#callOff();
      this.go(this.trace, place);
    } else {
      void this.run(place, null);
    }
  }

  protected asked(): Question {
    return { model: this.model, text: this.text, answer: this.answer.trim() ? this.answer : null };
  }

  /** Is the trace on the page that of what the reader asks for? */
  protected isTraced(): boolean {
    const { model, text, answer, picture } = this.asked();
    const { traced } = this;
    const alike = text === traced.text && model === traced.model && answer === traced.answer;
    return alike && (!picture || picture === traced.picture);
  }

  /** Ask again which models there are. What fails here is told where one is asked for. */
  async #list(): Promise<void> {
    this.studio = await this.source.getStudio().catch(() => this.studio);
  }

  // What the reader does ------------------------------------------------------------------------

  submit(): void {
    const kept = this.isTraced() && this.named === this.traced;
    if (kept && this.trace && !this.problem) return;
    void this.run(null, "text");
  }

  /** Read another text. */
  read(text: string): void {
    this.text = text;
    this.submit();
  }

  chooseModel(name: string): void {
    this.model = name;
    this.answer = "";
    void this.run(null, "model");
  }

  tryAgain(): void {
    void this.source.connection?.ask();
  }

  // How it comes here ---------------------------------------------------------------------------

  protected async run(place: Place | null, step: Step | null): Promise<void> {
    this.tracing.abort();
    const { signal } = (this.tracing = new AbortController());
    const question = this.asked();
    this.retry.forget();
    this.busy = true;
    this.before = null;
    this.named = question;
    if (step) this.record(step); // a page that is closed now opens again with this text
    try {
      const tell = (before: Before): void => void (this.before = before);
      const trace = await this.touching.trace(question, signal, tell);
      this.became(question);
      await this.arrive(trace, place, null, signal);
    } catch (problem) {
      this.fail(problem, () => this.run(place, step), true);
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** The trace that is here is now that of a question. */
  protected became(question: Question): void {
    this.traced = this.named = question;
    this.awaits = null;
  }

  /** The text asked for is not wanted any more: the last one stays. */
  #callOff(): void {
    this.tracing.abort();
    this.retry.forget();
    this.named = this.traced;
    this.busy = false;
    this.before = null;
  }

  protected fail(problem: unknown, again: () => Promise<void>, isText = false): void {
    if (problem instanceof DOMException && problem.name === "AbortError") return;
    if (problem instanceof ServerGone) {
      this.retry.whenBack(again, isText);
    } else if (problem instanceof StudioError && problem.code === "trace_gone") {
      this.#remake(problem);
    } else {
      this.problem = problemOf(problem);
      if (!(problem instanceof StudioError)) return;
      if (problem.code === "studio_busy") {
        this.retry.later(again, isText);
      } else if (isText && this.trace) {
        this.named = this.traced;
        this.record(null);
      }
    }
  }

  /** Studio keeps few traces. It makes this one again, unless it cannot keep even that. */
  #remake(problem: StudioError): void {
    this.remade += 1;
    const again = this.again();
    if (!again) this.problem = problemFor(this.lostAs());
    else if (this.remade > MOST_REMADE) this.problem = problemOf(problem);
    else void again();
  }

  /** The problem of a trace that is gone and cannot be made again. */
  protected lostAs(): string {
    return "trace_file_gone";
  }

  /** How the trace is made again; null where it cannot be. */
  protected again(): (() => Promise<void>) | null {
    return () => this.run(null, null);
  }

  // Its address ---------------------------------------------------------------------------------

  /** The question that the address names. */
  protected get question(): Question {
    return this.named.model ? this.named : this.asked();
  }

  protected place(): Place {
    const { model, text, answer } = this.question;
    const { fixed } = this.source;
    return {
      model: fixed ? null : model || null,
      text: fixed ? null : text,
      answer: fixed ? null : answer,
      trace: null,
      part: this.trace ? this.part : null,
      layer: this.trace ? this.layer : null,
      head: this.trace ? this.head : null,
      token: this.trace ? (this.token ?? "none") : null,
      key: this.trace ? this.key : null,
      ...this.chosen(),
      language: this.preferences.chosenLanguage,
      theme: this.preferences.chosenTheme,
    };
  }

  address(): string {
    return writePlace(this.place()) + this.touching.address() + this.comparing.address();
  }

  record(step: Step | null): void {
    this.bar.write(this.address(), step);
  }
}
