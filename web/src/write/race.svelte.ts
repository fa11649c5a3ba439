// Several strategies side by side, from the place where the reader is.
import { ServerGone } from "../protocol/client";
import { problemOf, type Problem } from "../protocol/problem";
import { race as ask } from "./client";
import type { WriteRoom } from "./room.svelte";
import type { ColumnLine, Settings, Strategy } from "./types";

export const KINDS = ["greedy", "temperature", "top_k", "top_p", "min_p", "beam"] as const;
export type Kind = (typeof KINDS)[number];

export interface Column {
  kind: Kind;
  /** The number that makes this strategy what it is; null for greedy. */
  value: number | null;
  strategy: Strategy;
  line: ColumnLine | null;
}

const GREEDY: Settings = {
  temperature: 0,
  top_k: null,
  top_p: null,
  min_p: null,
  repetition_penalty: 1,
};
const BEAMS = 4;

/** The six ways, with the numbers of the dials where they are set. */
export function columnsFor(settings: Settings): Column[] {
  const { repetition_penalty } = settings;
  const temperature = settings.temperature || 1;
  const values: Record<Kind, number | null> = {
    greedy: null,
    temperature,
    top_k: settings.top_k ?? 40,
    top_p: settings.top_p !== null && settings.top_p < 1 ? settings.top_p : 0.9,
    min_p: settings.min_p ?? 0.05,
    beam: BEAMS,
  };
  return KINDS.map((kind) => {
    const value = values[kind];
    const drawn = { ...GREEDY, repetition_penalty, temperature };
    const chosen =
      kind === "greedy" || kind === "beam"
        ? { ...GREEDY, repetition_penalty: kind === "beam" ? 1 : repetition_penalty }
        : { ...drawn, [kind]: value };
    const num_beams = kind === "beam" ? BEAMS : null;
    return { kind, value, strategy: { settings: chosen, num_beams }, line: null };
  });
}

export class Race {
  columns = $state.raw<Column[]>([]);
  running = $state(false);
  gone = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** The text that all go on from. */
  from = $state("");
  /** Whose beginning, and the node of its tree, they go on from. */
  #place = { model: "", beginning: "", node: 0 };
  #running = new AbortController();

  constructor(private readonly writing: WriteRoom) {}

  async start(): Promise<void> {
    this.stop();
    const { signal } = (this.#running = new AbortController());
    this.columns = columnsFor(this.writing.settings);
    this.from = this.writing.text();
    const { model, beginning, current: node } = this.writing;
    this.#place = { model, beginning, node };
    this.running = true;
    this.gone = false;
    this.problem = null;
    const question = {
      ...this.writing.place(),
      strategies: this.columns.map((column) => column.strategy),
      seed: this.writing.seed,
      stop: this.writing.stop,
      max_new_tokens: this.writing.tokens,
    };
    try {
      for await (const line of ask(question, signal)) {
        if (signal.aborted) return;
        this.columns = this.columns.map((column, index) =>
          index === line.column ? { ...column, line } : column,
        );
      }
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof ServerGone) this.gone = true;
      else this.problem = problemOf(problem);
    } finally {
      if (!signal.aborted) this.running = false;
    }
  }

  /** Does the tree that the columns grew from still stand in the room? */
  get belongs(): boolean {
    return this.#place.model === this.writing.model && this.#place.beginning === this.writing.beginning;
  }

  /** Go on by hand with what a column has written. */
  adopt(column: Column): void {
    if (column.line && this.belongs) this.writing.adopt(column.line.ids, this.#place.node);
  }

  stop(): void {
    this.#running.abort();
    this.running = false;
  }
}
