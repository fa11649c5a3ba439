// The Explore room: the text that is read, by which model, how its trace comes here, and the page's
// address. What is looked at of the trace is Looking's.
import { ServerGone, StudioError } from "../protocol/client";
import { connection } from "../protocol/connection.svelte";
import { problemFor, problemOf } from "../protocol/problem";
import type { Before } from "../protocol/queue";
import { asked, source } from "../protocol/source";
import type { ModelCard, Question, Studio, Trace } from "../protocol/types";
import { readPlace, writePlace, type Place } from "../state/address";
import { rooms } from "../state/rooms.svelte";
import type { Step } from "../state/trail";
import { preferences } from "../state/preferences.svelte";
import { reader } from "../messages/catalogue.svelte";
import { comparing } from "./compare/comparing.svelte";
import { touching } from "./touch/touching.svelte";
import { Looking } from "./looking.svelte";
import { Retry } from "../protocol/retry";
import { checkTraceFile } from "../explore/trace_file";

/** A trace that was read from a file; the file itself is at hand until the page is left. */
export interface Opened {
  id: string;
  name: string;
  model: string;
  file: File | null;
}

/** Texts with more characters are read when asked for, not while somebody writes, and stand in the
 * page's address by the trace that Studio keeps of them. */
export const LONGEST_QUICK = 6000;
const WAIT_WHILE_TYPING = 450;
/** A trace that Studio drops before any picture of it comes is made so often, and no more. */
const MOST_REMADE = 2;

class Room extends Looking {
  studio = $state.raw<Studio | null>(null);
  text = $state("");
  model = $state("");
  /** What the reader has an encoder–decoder's decoder read; "" where the model is to write it. */
  answer = $state("");
  opened = $state.raw<Opened | null>(null);
  busy = $state(false);
  /** How many texts of others come before the one that is asked for. */
  before = $state<Before>(null);

  readonly card: ModelCard | null = $derived(
    this.studio?.models.find((card) => card.name === this.model) ?? null,
  );
  /** A long text stands in the box that nobody has asked to be read. */
  readonly unread: boolean = $derived(
    this.text.length > LONGEST_QUICK && !this.busy && !this.problem && this.text !== this.trace?.text,
  );

  /** Studio does not answer; what is on the page stays there. */
  get gone(): boolean {
    return connection.gone;
  }

  #tracing = new AbortController();
  #typing: ReturnType<typeof setTimeout> | undefined;
  readonly #retry = new Retry();
  #traced: Question = { model: "", text: "", answer: null };
  /** What the address names: what is traced, or was asked for and may still come. */
  #named = this.#traced;
  #begun = false;

  /** Once, when the room is first entered. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    rooms.opened("explore", {
      visit: () => this.#visit(readPlace(asked())),
      address: () => this.#address(),
    });
    touching.begin(() => void this.#run(null, "touch"), () => this.record("touch"));
    comparing.begin(() => this.record("compare"));
    await this.#open();
  }

  async #open(): Promise<void> {
    try {
      this.studio = await source().getStudio();
      this.#visit(readPlace(asked()));
    } catch (problem) {
      this.fail(problem, () => this.#open(), true);
    }
  }

  /** Go where an address says. */
  #visit(place: Place): void {
    if (!this.studio) return;
    this.choose(place);
    this.key = place.key;
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
      this.go(this.trace, place);
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
      this.fail(problem, () => this.openFile(file));
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

  link(): string {
    return location.href.replace(/[?#].*$/s, "") + this.#address();
  }

  tryAgain(): void {
    void connection.ask();
  }

  // How it comes here ---------------------------------------------------------------------------

  async #run(place: Place | null, step: Step | null): Promise<void> {
    this.#tracing.abort();
    const { signal } = (this.#tracing = new AbortController());
    const question = this.#asked();
    this.#retry.forget();
    this.busy = true;
    this.before = null;
    this.#named = question;
    if (step) this.record(step); // a page that is closed now opens again with this text
    try {
      const tell = (before: Before): void => void (this.before = before);
      const trace = await touching.trace(question, signal, tell);
      this.#traced = this.#named = question;
      this.opened = null;
      await this.arrive(trace, place, null, signal);
    } catch (problem) {
      this.fail(problem, () => this.#run(place, step), true);
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** The text asked for is not wanted any more: the last one stays. */
  #callOff(): void {
    this.#tracing.abort();
    this.#retry.forget();
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
        await this.arrive(trace, place, null, signal);
        return;
      }
      const file = this.opened?.id === id ? this.opened.file : null;
      await this.#showFile(trace, file, place, null, signal);
    } catch (problem) {
      if (problem instanceof StudioError && problem.code === "trace_gone" && this.opened?.id !== id) {
        const gone = problemFor(place.model === null ? "trace_file_gone" : "link_gone");
        this.problem = gone;
        if (this.trace) return;
        const instead = this.#run(null, null); // something is to be seen beside the line
        const { signal: latest } = this.#tracing;
        await instead;
        if (!latest.aborted) this.problem ??= gone;
      } else this.fail(problem, () => this.#revisit(id, place));
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
    await this.arrive(trace, place, step, signal);
  }

  protected fail(problem: unknown, again: () => Promise<void>, isText = false): void {
    if (problem instanceof DOMException && problem.name === "AbortError") return;
    if (problem instanceof ServerGone) {
      this.#retry.whenBack(again, isText);
    } else if (problem instanceof StudioError && problem.code === "trace_gone") {
      this.#remake(problem);
    } else {
      this.problem = problemOf(problem);
      if (!(problem instanceof StudioError)) return;
      if (problem.code === "studio_busy") {
        this.#retry.later(again, isText);
      } else if (isText && this.trace) {
        this.#named = this.#traced;
        this.record(null);
      }
    }
  }

  /** Studio keeps few traces. It makes this one again, unless it cannot keep even that. */
  #remake(problem: StudioError): void {
    this.remade += 1;
    if (this.opened && !this.opened.file) this.problem = problemFor("trace_file_gone");
    else if (this.remade > MOST_REMADE) this.problem = problemOf(problem);
    else if (this.opened?.file) void this.openFile(this.opened.file);
    else void this.#run(null, null);
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
      ...this.chosen(),
      language: preferences.chosenLanguage,
      theme: preferences.chosenTheme,
    };
  }

  #address(): string {
    return writePlace(this.#place()) + touching.address() + comparing.address();
  }

  protected record(step: Step | null): void {
    rooms.record("explore", this.#address(), step);
  }
}

export const room = new Room();
