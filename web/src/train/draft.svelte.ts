// A training that is being asked for: its text, its minutes, its sentence, and, for who sets them,
// the entries of its recipe. What was typed stays where a request fails.
import type { Problem } from "../protocol/problem";
import { getForm, postProposal, postRun } from "./client";
import { belongs, read, typed, type Typed } from "./fields";
import { countPhases, inPhases, mayDiffer, withOneLess, withOneMore } from "./phases";
import type { TrainRoom } from "./room.svelte";
import type { Field, Mistake, Text, Value } from "./types";

export class Draft {
  text = $state<string | null>(null);
  minutes = $state(5);
  #watch = $state<string | null>(null);
  #name = $state<string | null>(null);
  /** Does the reader set the entries? */
  own = $state(false);
  fields = $state.raw<Field[]>([]);
  typed = $state<Record<string, Typed>>({});
  /** How many phases the run has. */
  phases = $state(1);
  measuring = $state(false);
  starting = $state(false);
  measureProblem = $state.raw<Problem | null>(null);
  problem = $state.raw<Problem | null>(null);
  mistakes = $state.raw<Mistake[]>([]);
  #measured = new AbortController();

  readonly chosen: Text | null = $derived.by(() => {
    const texts = this.room.training?.texts;
    return texts?.find(({ id }) => id === this.text) ?? texts?.[0] ?? null;
  });
  readonly form: string = $derived(String(this.typed["model.form"] || "llama"));
  readonly watches: boolean = $derived.by(() => {
    const field = this.fields.find(({ path }) => path === "watch");
    return !this.own || !field || belongs(field, this.form);
  });
  /** The fields that this architecture, and what was typed, leave to be asked for. */
  readonly visible: Field[] = $derived.by(() => {
    const asked = this.fields
      .filter((field) => field.path !== "watch" && belongs(field, this.form))
      .filter((field) => this.phases > 1 || !field.of_several)
      .flatMap((field) => inPhases(field, this.phases));
    const filled = new Set(asked.filter((field) => this.value(field) !== "").map(({ path }) => path));
    return asked.filter(({ needs }) => needs === null || filled.has(needs));
  });
  readonly mayHavePhases: boolean = $derived(
    mayDiffer(this.fields.filter((field) => belongs(field, this.form))),
  );

  constructor(private readonly room: TrainRoom) {}

  get watch(): string {
    return this.#watch ?? this.chosen?.watched ?? "";
  }

  set watch(sentence: string) {
    this.#watch = sentence;
  }

  name(fallback: string): string {
    return this.#name ?? fallback;
  }

  rename(name: string): void {
    this.#name = name;
  }

  value(field: Field): Typed {
    if (field.path === "model.form") return this.form;
    const value = this.typed[field.path] ?? typed(field, field.default);
    const isOffered = field.kind !== "choice" || field.choices.includes(String(value));
    return isOffered ? value : typed(field, field.default);
  }

  /** Something was typed: what was wrong there, or with the list it stands in, may be right now. */
  change(path: string, value: Typed): void {
    this.typed[path] = value;
    this.mistakes = this.mistakes.filter(
      (each) => !`${path}.`.startsWith(`${each.path}.`) && !each.path.startsWith(`${path}.`),
    );
  }

  addPhase(): void {
    this.#setPhases(this.phases + 1, withOneMore(this.typed, this.phases));
  }

  removePhase(place: number): void {
    this.#setPhases(this.phases - 1, withOneLess(this.typed, this.phases, place));
  }

  #setPhases(count: number, all: Record<string, Typed>): void {
    this.typed = all;
    this.phases = count;
    this.mistakes = this.mistakes.filter(({ path }) => !`${path}.`.startsWith("phases."));
  }

  mistake(path: string): Mistake | undefined {
    return this.mistakes.find((each) => each.path === path || each.path.startsWith(`${path}.`));
  }

  /** Mistakes about what no field shows. */
  get elsewhere(): Mistake[] {
    const shown = this.visible.map(({ path }) => path);
    return this.mistakes.filter(
      ({ path }) => path !== "phases" && !shown.some((each) => path === each || path.startsWith(`${each}.`)),
    );
  }

  /** A model that may teach can have been finished, or deleted, since the fields were fetched. */
  async renew(): Promise<void> {
    if (this.fields.length === 0 || this.measuring) return;
    try {
      this.fields = await getForm(this.#language, this.#measured.signal);
    } catch (problem) {
      this.room.failed(problem);
    }
  }

  /** Fetch the fields, and what the dial would choose for the text and the minutes. */
  async measure(): Promise<void> {
    this.#measured.abort();
    const { signal } = (this.#measured = new AbortController());
    this.measureProblem = null;
    this.measuring = true;
    try {
      this.fields = await getForm(this.#language, signal);
      if (this.chosen) this.#fill(await postProposal(this.chosen.id, this.minutes, this.#language, signal));
    } catch (problem) {
      if (!signal.aborted) this.measureProblem = this.room.refusal(problem);
    } finally {
      if (!signal.aborted) this.measuring = false;
    }
  }

  #fill(settings: Record<string, Value>): void {
    this.mistakes = [];
    this.phases = countPhases(Object.keys(settings));
    this.typed = Object.fromEntries(
      this.fields
        .flatMap((field) => inPhases(field, this.phases))
        .filter(({ path }) => path in settings)
        .map((field) => [field.path, typed(field, settings[field.path] ?? null)]),
    );
  }

  /** Begin; the training is looked at as soon as it is there. */
  async start(name: string): Promise<void> {
    if (this.starting) return;
    this.starting = true;
    this.problem = null;
    this.mistakes = [];
    const sentence = this.watch.trim();
    try {
      const request = {
        text: this.chosen?.id ?? null,
        name,
        minutes: this.minutes,
        watch: sentence && this.watches ? sentence : null,
        settings: this.own ? this.#settings() : {},
      };
      const run = await postRun(request, this.#language);
      await this.room.refresh();
      this.room.choose(run.id);
    } catch (problem) {
      const found = this.room.refusal(problem);
      this.problem = found;
      if (found?.code === "form_invalid") {
        this.mistakes = (found.values["mistakes"] ?? []) as unknown as Mistake[];
      }
    } finally {
      this.starting = false;
    }
  }

  get #language(): string {
    return this.room.reader.language;
  }

  #settings(): Record<string, Value> {
    return Object.fromEntries(
      this.visible.map((field) => [field.path, read(field, this.value(field))]),
    );
  }
}
