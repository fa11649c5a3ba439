// The Learn room: its shelf, the lesson that is open, where its reader is in it, and its address.
import { createContext } from "svelte";

import type { Reader } from "../messages/reader.svelte";
import { getStudio, ServerGone, StudioError } from "../protocol/client";
import { connection } from "../protocol/connection.svelte";
import { problemOf, type Problem } from "../protocol/problem";
import type { ModelCard } from "../protocol/types";
import type { AddressBar } from "../state/address_bar";
import type { Preferences } from "../state/preferences.svelte";
import type { Step } from "../state/trail";
import { readAddress, writeAddress, type View } from "./address";
import { deleteProgress, getLesson, getNumbers, getShelf } from "./client";
import { FigureState, readValue } from "./figure.svelte";
import type { Card, Lesson, NumberShown, Said, Shelf, Values } from "./types";

export class LearnRoom {
  shelf = $state.raw<Shelf | null>(null);
  lesson = $state.raw<Lesson | null>(null);
  numbers = $state.raw<Record<string, NumberShown>>({});
  figures = $state.raw<ReadonlyMap<string, FigureState>>(new Map());
  models = $state.raw<readonly ModelCard[]>([]);
  problem = $state.raw<Problem | null>(null);
  gone = $state(false);
  /** The lesson that is asked for; null for the shelf. */
  name = $state<string | null>(null);
  view = $state<View>("read");
  block = $state("");
  /** The figure on the stage, and whether a question stands before it. */
  staged = $state<string | null>(null);
  veiled = $state<string | null>(null);
  /** Questions that were answered, or passed over, since the lesson was opened. */
  answered = $state.raw<ReadonlySet<string>>(new Set());
  passed = $state.raw<ReadonlySet<string>>(new Set());
  /** The block that the text should be scrolled to; null where it is the reader's. */
  goTo = $state<string | null>(null);
  readonly reader: Reader;
  #opening = new AbortController();
  #begun = false;

  constructor(
    private readonly preferences: Preferences,
    private readonly bar: AddressBar,
  ) {
    this.reader = preferences.reader;
  }

  /** Once, when the room is first entered. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#load();
    this.visit(this.bar.read());
  }

  visit(query: string): void {
    const asked = readAddress(query);
    this.view = asked.view;
    void this.#open(asked.lesson, asked.block, asked.moved);
  }

  /** Open a lesson, or the shelf. */
  open(name: string | null, block = ""): void {
    this.view = "read";
    void this.#open(name, block, {});
    this.record("lesson");
  }

  show(view: View): void {
    this.view = view;
    if (view === "board" && !this.block) this.block = this.lesson?.blocks.es?.[0]?.name ?? "";
    if (view === "read") this.goTo = this.block;
    this.record("view");
  }

  /** The reader is at this block. */
  at(block: string): void {
    if (block === this.block) return;
    this.block = block;
    this.record(null);
  }

  /** The block that many blocks further on; null where there is none. */
  neighbour(by: number): string | null {
    const names = this.lesson?.blocks.es?.map((each) => each.name) ?? [];
    return names[names.indexOf(this.block) + by] ?? null;
  }

  /** The text has come to a figure; `question` is what should be answered before it is seen. */
  stage(figure: string, values: Values, question: string | null): void {
    const hidden = question !== null && !this.answered.has(question);
    this.staged = figure;
    this.veiled = hidden ? question : null;
    const shown = this.figures.get(figure);
    if (hidden || !shown) return;
    // An address that says where the figure stands goes before the text's own values, once.
    if (shown.kept) shown.draw();
    else shown.place(values);
    shown.kept = false;
  }

  unveil(question: string): void {
    this.answered = new Set([...this.answered, question]);
    if (this.veiled !== question) return;
    this.veiled = null;
    const asked = this.lesson?.predictions[question];
    if (asked && this.staged) this.figures.get(this.staged)?.place(asked.values as Values);
  }

  markPassed(part: string): void {
    this.passed = new Set([...this.passed, part]);
  }

  /** The parts of a lesson that are done: questions answered, exercises passed. */
  done(card: Card): string[] {
    const here = card.name === this.name ? this.passed : new Set<string>();
    return card.parts.filter((part) => card.done.includes(part) || here.has(part));
  }

  async forget(): Promise<void> {
    try {
      await deleteProgress();
      await this.#load();
      this.passed = new Set();
    } catch (problem) {
      this.failed(problem, () => void this.forget());
    }
  }

  /** A label of the lesson, in the reader's language; what is no label is shown as it is. */
  readonly word = (label: string): string => {
    const said = this.lesson?.words[label];
    return said ? said[this.reader.language] : label;
  };

  readonly said = (words: Said): string => words[this.reader.language];

  address(): string {
    const moved: Record<string, string> = {};
    for (const [name, figure] of this.figures) {
      for (const [parameter, value] of Object.entries(figure.movedTo())) {
        moved[`${name}.${parameter}`] = String(value);
      }
    }
    const query = writeAddress({ lesson: this.name, block: this.block, view: this.view, moved });
    const { chosenLanguage, chosenTheme } = this.preferences;
    if (chosenLanguage !== null) query.set("lang", chosenLanguage);
    if (chosenTheme !== null) query.set("theme", chosenTheme);
    const said = query.toString();
    return said ? `?${said}` : location.pathname;
  }

  record(step: Step | null): void {
    this.bar.write(this.address(), step);
  }

  failed(problem: unknown, again: () => void): void {
    if (problem instanceof DOMException && problem.name === "AbortError") return;
    if (problem instanceof ServerGone) {
      this.gone = true;
      connection.whenBack(() => {
        this.gone = false;
        again();
      });
    } else {
      this.problem = problemOf(problem);
    }
  }

  async #load(): Promise<void> {
    try {
      this.shelf = await getShelf();
      this.models = (await getStudio()).models;
    } catch (problem) {
      this.failed(problem, () => void this.#load());
    }
  }

  async #open(name: string | null, block: string, moved: Record<string, string>): Promise<void> {
    this.#opening.abort();
    const { signal } = (this.#opening = new AbortController());
    this.problem = null;
    if (name !== this.name || !this.lesson) {
      this.name = name;
      this.lesson = null;
      this.numbers = {};
      this.figures = new Map();
      this.staged = this.veiled = null;
      this.answered = this.passed = new Set();
    }
    if (name === null) {
      this.block = "";
      void this.#load();
      return;
    }
    try {
      if (!this.lesson) this.#became(await getLesson(name, signal));
      this.block = block || (this.lesson?.blocks.es?.[0]?.name ?? "");
      this.goTo = block || null;
      this.#move(moved);
      if (Object.keys(this.numbers).length === 0) this.numbers = await getNumbers(name, signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof StudioError && problem.code === "lesson_unknown") this.name = null;
      this.failed(problem, () => void this.#open(name, block, moved));
    }
  }

  #became(lesson: Lesson): void {
    const changed = (): void => this.record("figure");
    const lost = (problem: unknown, again: () => void): void => this.failed(problem, again);
    this.figures = new Map(
      Object.entries(lesson.figures).map(([name, entry]) => [
        name,
        new FigureState(lesson.name, name, entry, changed, lost),
      ]),
    );
    this.lesson = lesson;
  }

  /** Figures as an address has them. */
  #move(moved: Record<string, string>): void {
    for (const [name, figure] of this.figures) {
      const values: Values = {};
      for (const [parameter, control] of Object.entries(figure.entry.controls)) {
        const text = moved[`${name}.${parameter}`];
        const value = text === undefined ? null : readValue(control, text);
        if (value !== null) values[parameter] = value;
      }
      figure.kept = Object.keys(values).length > 0;
      if (figure.kept) figure.place(values);
    }
  }
}

export const [getLearn, setLearn] = createContext<LearnRoom>();
