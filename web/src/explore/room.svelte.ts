// The Explore room: one picture (of attention) whose text is typed, or that is of a picture which the
// reader brings; whose trace may come from a file; and which has the page's address.
import { createContext } from "svelte";

import { StudioError } from "../protocol/client";
import { problemFor } from "../protocol/problem";
import type { Question, Studio, Trace } from "../protocol/types";
import type { Step } from "../state/trail";
import type { Place } from "../trace/address";
import { Picture } from "../trace/picture.svelte";
import { pictureProblem } from "./picture_file";
import { checkTraceFile } from "./trace_file";

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

export class ExploreRoom extends Picture {
  opened = $state.raw<Opened | null>(null);
  /** A long text stands in the box that was not asked to be read. */
  readonly unread: boolean = $derived(
    this.text.length > LONGEST_QUICK && !this.busy && !this.problem && this.text !== this.trace?.text,
  );

  /** The picture that is read, where the model reads pictures and the file is at hand. */
  file = $state.raw<File | null>(null);
  /** What that picture is called; "" before there is any. */
  pictureName = $state("");
  readonly readsPictures: boolean = $derived(this.card?.reads === "picture");

  #typing: ReturnType<typeof setTimeout> | undefined;

  protected override asked(): Question {
    if (!this.readsPictures) return super.asked();
    return { model: this.model, text: this.pictureName, answer: null, picture: this.file };
  }

  protected override goTo(studio: Studio, place: Place, address: string): void {
    if (place.trace === null) {
      this.opened = null;
      super.goTo(studio, place, address);
      return;
    }
    this.text ||= studio.default_text;
    const card = studio.models.find(({ name }) => name === place.model);
    if (card?.reads === "picture") this.model = card.name;
    this.model ||= studio.default_model;
    void this.#revisit(place.trace, place);
  }

  // What the reader does ------------------------------------------------------------------------

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#typing);
    if (text.length <= LONGEST_QUICK) this.#later();
  }

  /** What the decoder is to read; nothing has the model write its answer itself. */
  typeAnswer(answer: string): void {
    this.answer = answer;
    clearTimeout(this.#typing);
    this.#later();
  }

  #later(): void {
    this.#typing = setTimeout(() => void this.run(null, "typing"), WAIT_WHILE_TYPING);
  }

  override submit(): void {
    clearTimeout(this.#typing);
    super.submit();
  }

  override chooseModel(name: string): void {
    clearTimeout(this.#typing);
    super.chooseModel(name);
  }

  /** Look at a file's trace. What was on the page stays until it is there. */
  async openFile(file: File): Promise<void> {
    const open = this.source.postTraceFile;
    if (!open || !this.studio) return;
    this.tracing.abort();
    const { signal } = (this.tracing = new AbortController());
    this.busy = true;
    try {
      await checkTraceFile(file, this.studio.max_trace_file_bytes);
      await this.#showFile(await open(file, this.reader.language, signal), file, null, "file", signal);
    } catch (problem) {
      this.fail(problem, () => this.openFile(file));
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** A file that was chosen, or dropped on the page: a picture, or a trace. */
  take(file: File): Promise<void> {
    return file.type.startsWith("image/") ? this.openPicture(file) : this.openFile(file);
  }

  /** Read a picture: with the model chosen, or with the first that reads pictures. */
  async openPicture(file: File): Promise<void> {
    const { card, studio } = this;
    if (!studio) return;
    const reading = [card, ...studio.models].find((each) => each?.reads === "picture");
    this.problem = reading
      ? pictureProblem(file, studio.max_picture_bytes ?? Infinity)
      : problemFor("no_picture_model");
    if (this.problem || !reading) return;
    this.model = reading.name;
    this.file = file;
    this.pictureName = file.name;
    await this.run(null, "file");
  }

  /** Go back from a file's trace to the text and the model of before. */
  closeFile(): void {
    this.opened = null;
    if (this.studio && !this.studio.models.some((card) => card.name === this.model)) {
      this.model = this.studio.default_model;
    }
    void this.run(null, "file");
  }

  // How it comes here ---------------------------------------------------------------------------

  protected override async run(place: Place | null, step: Step | null): Promise<void> {
    if (this.readsPictures && !this.file) this.#awaitPicture(step);
    else await super.run(place, step);
  }

  /** The model reads pictures, and there is none yet: nothing else is shown in its name. */
  #awaitPicture(step: Step | null): void {
    this.tracing.abort();
    this.retry.forget();
    this.stopLooking();
    this.became(this.asked());
    this.trace = this.base = this.shown = this.pooled = this.before = null;
    this.busy = false;
    this.problem = null;
    this.awaits = "studio.picture_wanted";
    this.record(step);
  }

  protected override became(question: Question): void {
    super.became(question);
    this.opened = null;
  }

  /** Go to a trace that Studio still keeps: a file's, or that of a text too long for an address. */
  async #revisit(id: string, place: Place): Promise<void> {
    const get = this.source.getTrace;
    if (!get) return;
    this.tracing.abort();
    const { signal } = (this.tracing = new AbortController());
    this.busy = true;
    try {
      const trace = await get(id, signal);
      if (trace.opened === null) {
        this.#becomeAskedFor(trace);
        this.became(this.asked());
        await this.arrive(trace, place, null, signal);
        return;
      }
      const file = this.opened?.id === id ? this.opened.file : null;
      await this.#showFile(trace, file, place, null, signal);
    } catch (problem) {
      if (problem instanceof StudioError && problem.code === "trace_gone" && this.opened?.id !== id) {
        const gone = problemFor(this.#goneAs(place));
        this.problem = gone;
        if (this.trace) return;
        const instead = this.run(null, null); // something is to be seen beside the line
        const { signal: latest } = this.tracing;
        await instead;
        if (!latest.aborted) this.problem ??= gone;
      } else this.fail(problem, () => this.#revisit(id, place));
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** What the reader asks for is what a trace that Studio kept was made of. */
  #becomeAskedFor(trace: Trace): void {
    this.model = trace.model;
    if (trace.surface?.kind === "picture") {
      if (this.base?.id !== trace.id) this.file = null;
      this.pictureName = trace.text;
      return;
    }
    this.text = trace.text;
    this.answer = trace.answer?.given ? trace.answer.text : "";
  }

  #goneAs(place: Place): string {
    if (place.model === null) return "trace_file_gone";
    return this.readsPictures ? "picture_gone" : "link_gone";
  }

  protected override lostAs(): string {
    return this.readsPictures && !this.opened ? "picture_gone" : super.lostAs();
  }

  /** Show a file's trace: its text and its model are fixed. */
  async #showFile(
    trace: Trace,
    file: File | null,
    place: Place | null,
    step: Step | null,
    signal: AbortSignal,
  ): Promise<void> {
    this.became({ model: "", text: "", answer: null });
    this.opened = { id: trace.id, name: trace.opened ?? "", model: trace.model, file };
    await this.arrive(trace, place, step, signal);
  }

  protected override again(): (() => Promise<void>) | null {
    if (!this.opened) return this.readsPictures && !this.file ? null : super.again();
    const { file } = this.opened;
    return file && (() => this.openFile(file));
  }

  /** A file's trace is named by its id; so is a long text's, while nothing stands for it before. */
  protected override place(): Place {
    const place = super.place();
    if (this.opened) return { ...place, model: null, text: null, answer: null, trace: this.opened.id };
    const { picture, text } = this.question;
    if (picture === undefined && text.length <= LONGEST_QUICK) return place;
    const kept = this.named === this.traced ? (this.base?.id ?? null) : null;
    return { ...place, text: null, trace: kept };
  }
}

export const [getExplore, setExplore] = createContext<ExploreRoom>();
