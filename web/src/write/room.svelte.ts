// The Write room: what the reader does there, and how what it shows comes from Studio. Studio is told
// the place with every question, so that it may forget and be restarted.
import { createContext } from "svelte";

import type { Reader } from "../messages/reader.svelte";
import { ServerGone, StudioError, getStudio } from "../protocol/client";
import { problemOf } from "../protocol/problem";
import type { AddressBar } from "../state/address_bar";
import type { Preferences } from "../state/preferences.svelte";
import type { Step } from "../state/trail";
import { readWritePlace, writeWritePlace } from "./address";
import * as client from "./client";
import { rankOf } from "./distribution";
import { Trees } from "./kept";
import { pieceOf } from "./names";
import { Race } from "./race.svelte";
import { RecentAnswers } from "./recent_answers";
import { ROOT } from "./tree";
import type { EndLine, NewestLine } from "./types";
import { Written } from "./written.svelte";

const WAIT_WHILE_TYPING = 450;
const RETRY_EVERY = 2000;
/** Milliseconds between two times that the tree is kept while a text comes in. */
const KEEP_EVERY = 500;

export class WriteRoom extends Written {
  readonly #trees = new Trees();
  readonly #recent = new RecentAnswers();
  #looking = new AbortController();
  #streaming = new AbortController();
  #naming = new AbortController();
  #typing: ReturnType<typeof setTimeout> | undefined;
  #retrying: ReturnType<typeof setTimeout> | undefined;
  #begun = false;
  #left = 0;

  readonly race = new Race(this);
  readonly #reader: Reader;

  constructor(
    private readonly preferences: Preferences,
    private readonly bar: AddressBar,
  ) {
    super();
    this.#reader = preferences.reader;
  }

  /** Once, when the room is first entered. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    addEventListener("pagehide", () => this.#keep());
    await this.#open();
  }

  async #open(): Promise<void> {
    try {
      this.studio = await getStudio();
      this.gone = false;
      this.visit(this.bar.read());
    } catch (problem) {
      this.#fail(problem, () => this.#open());
    }
  }

  visit(query: string): void {
    if (!this.studio) return;
    const place = readWritePlace(query);
    const { settings, seed, tokens, stop, windowed, chat, layer, head, mode } = place;
    if (windowed !== this.windowed) this.#recent.clear();
    const otherForm = chat !== this.chat;
    Object.assign(this, { settings, seed, tokens, stop, windowed, chat, layer, head, mode });
    const preferred = this.writers.find((card) => card.name === this.studio?.default_model);
    const model = place.model ?? (preferred ?? this.writers[0])?.name ?? this.studio.default_model;
    this.#enter(model, place.text ?? this.#reader.say("studio.write_beginning"), otherForm);
  }

  /** Begin with this text, or go on with what was written after it before. */
  #enter(model: string, text: string, otherForm = false): void {
    if (this.writing) this.stopWriting();
    const otherModel = model !== this.model;
    if (otherModel || otherForm || text !== this.beginning || this.seenAt < 0) {
      [this.model, this.beginning] = [model, text];
      this.#recent.clear();
      [this.prompt, this.opening] = [[], []];
      this.seen = null;
      this.seenAt = -1;
      this.grown = this.#trees.open(model, this.#root());
      this.current = this.grown.rest(ROOT).at(-1)?.key ?? ROOT;
      this.version += 1;
    }
    if (otherModel || !this.names) void this.#name();
    void this.#look();
  }

  // What the reader does ------------------------------------------------------------------------

  type(text: string): void {
    clearTimeout(this.#typing);
    if (this.writing) this.stopWriting();
    this.#typing = setTimeout(() => {
      this.#enter(this.model, text);
      this.record("typing");
    }, WAIT_WHILE_TYPING);
  }

  /** What was typed counts at once. */
  submit(text: string): void {
    clearTimeout(this.#typing);
    if (text === this.beginning) return;
    this.#enter(this.model, text);
    this.record("text");
  }

  chooseModel(name: string): void {
    this.problem = null;
    this.#enter(name, this.beginning);
    this.record("model");
  }

  /** Go to a node: as if nothing had been written after it, though nothing is lost. */
  go(key: number): void {
    if (this.writing) this.stopWriting();
    this.grown.visit(key);
    this.current = key;
    this.ended = null;
    this.version += 1;
    this.#keep();
    void this.#look();
  }

  /** Take this token next, whatever would have been drawn. */
  force(id: number): void {
    if (this.writing || !this.next || !this.fresh) return;
    const { own, shares } = this.next;
    const node = this.grown.add(this.current, {
      token: pieceOf(this.names, id),
      way: "forced",
      share: shares[id] ?? 0,
      logProbability: own[id] ?? null,
      rank: rankOf(own, id),
    });
    this.go(node.key);
  }

  /** Take over what a strategy has written after the node `from`. */
  adopt(ids: readonly number[], from: number): void {
    let key = from;
    for (const id of ids) {
      const token = pieceOf(this.names, id);
      const unknown = { share: null, logProbability: null, rank: null };
      key = this.grown.add(key, { token, way: "strategy", ...unknown }).key;
    }
    this.chooseMode("steps");
    this.go(key);
  }

  /** Write so many tokens; a step is one. */
  async write(count: number = this.tokens): Promise<void> {
    if (this.writing || !this.studio) return;
    this.#looking.abort();
    this.writing = true;
    this.ended = null;
    this.problem = null;
    this.#left = count;
    await this.#stream();
  }

  stopWriting(): void {
    clearTimeout(this.#retrying);
    this.#streaming.abort();
    this.writing = false;
    this.live = null;
    void this.#look();
    this.record(null);
  }

  tryAgain(): void {
    clearTimeout(this.#retrying);
    if (!this.studio) void this.#open();
    else if (this.writing) void this.#stream();
    else void this.#look();
  }

  address(): string {
    return writeWritePlace({
      model: this.model || null,
      text: this.beginning || null,
      ...this.chosen(),
      language: this.preferences.chosenLanguage,
      theme: this.preferences.chosenTheme,
    });
  }

  // How it comes here ---------------------------------------------------------------------------

  #keeping: ReturnType<typeof setTimeout> | undefined;

  async #stream(): Promise<void> {
    this.#streaming.abort();
    const { signal } = (this.#streaming = new AbortController());
    const { layer, head, settings, seed, stop } = this;
    const asked = { layer, head, settings, seed, stop, max_new_tokens: this.#left };
    const question = { ...this.place(), ...asked };
    try {
      let end: EndLine | null = null;
      for await (const line of client.stream(question, signal)) {
        if (signal.aborted) return;
        this.gone = false;
        if ("end" in line) end = line;
        else this.#take(line, question.settings.temperature === 0);
        this.#keepSoon();
      }
      if (!end) throw new ServerGone("no end");
      const node = this.grown.get(this.current);
      if (end.end !== "length") [node.end, node.kept] = [end.end, end.kept];
      this.ended = end.end;
      this.writing = false;
      this.live = null;
      this.version += 1;
      this.record(null);
      await this.#look();
    } catch (problem) {
      if (signal.aborted) return;
      const goesOn =
        problem instanceof ServerGone ||
        (problem instanceof StudioError && problem.code === "studio_busy");
      this.#fail(problem, () => this.#stream());
      if (goesOn) return;
      this.writing = false;
      this.live = null;
    }
  }

  #take(line: NewestLine, likeliest: boolean): void {
    const node = this.grown.add(this.current, {
      token: line.token,
      way: likeliest ? "likeliest" : "drawn",
      share: line.share,
      logProbability: line.log_probability,
      rank: line.rank,
    });
    this.#left -= 1;
    this.live = line;
    this.current = node.key;
    this.version += 1;
  }

  async #look(): Promise<void> {
    this.#looking.abort();
    const { signal } = (this.#looking = new AbortController());
    if (!this.studio) return;
    const [current, tree] = [this.current, this.grown];
    const name = [current, this.layer, this.head].join();
    try {
      let look = this.#recent.find(name);
      if (!look) {
        const question = { ...this.place(), layer: this.layer, head: this.head };
        look = await client.look(question, signal);
        if (signal.aborted) return;
        this.#recent.add(name, look);
      }
      [this.prompt, this.opening] = [look.prompt, look.opening];
      tree.path(current).forEach((node, index) => {
        tree.tell(node.key, look.written[index] ?? node.token);
      });
      if (look.ended) tree.get(current).end = look.ended;
      this.seen = look;
      this.seenAt = current;
      this.version += 1;
      this.gone = false;
      this.problem = null;
    } catch (problem) {
      this.#fail(problem, () => this.#look());
    }
  }

  async #name(): Promise<void> {
    this.#naming.abort();
    const { signal } = (this.#naming = new AbortController());
    this.names = null;
    try {
      this.names = await client.vocabulary(this.model, signal);
    } catch (problem) {
      // A model that cannot write is told of by the look.
      if (problem instanceof ServerGone) this.#later(() => this.#name());
    }
  }

  #fail(problem: unknown, again: () => Promise<void>): void {
    if (problem instanceof DOMException && problem.name === "AbortError") return;
    if (problem instanceof ServerGone) {
      this.gone = true;
      this.#later(again);
    } else if (problem instanceof StudioError) {
      this.gone = false;
      this.problem = problemOf(problem);
      const tooFar = problem.code === "layer_out_of_range" || problem.code === "head_out_of_range";
      if (problem.code === "studio_busy") this.#later(again);
      else if (problem.code === "id_out_of_range") this.#forget(); // the model is another by now
      else if (tooFar) this.chooseHead(null, null);
    } else {
      this.problem = problemOf(problem);
    }
  }

  /** A tree whose tokens this model does not have. */
  #forget(): void {
    this.grown = this.#trees.renew(this.model, this.#root());
    this.current = ROOT;
    this.version += 1;
    void this.#look();
  }

  #later(again: () => Promise<void>): void {
    clearTimeout(this.#retrying);
    this.#retrying = setTimeout(() => void again(), RETRY_EVERY);
  }

  #keep(): void {
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    this.#trees.keep(this.model, this.#root(), this.grown);
  }

  /** What trees of this beginning are kept under: what follows a message is another text. */
  #root(): string {
    return this.asMessage ? `chat\n${this.beginning}` : this.beginning;
  }

  protected otherForm(): void {
    this.#enter(this.model, this.beginning, true);
  }

  /** While a text comes in: a page that is loaded again in the middle has it so far. */
  #keepSoon(): void {
    this.#keeping ??= setTimeout(() => this.#keep(), KEEP_EVERY);
  }

  protected otherWindow(): void {
    this.#recent.clear();
    this.otherHead();
  }

  protected otherHead(): void {
    if (!this.writing) void this.#look();
  }

  protected record(step: Step | null): void {
    this.#keep();
    this.bar.write(this.address(), step);
  }
}

export const [getWriting, setWriting] = createContext<WriteRoom>();
