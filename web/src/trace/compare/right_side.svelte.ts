// The right side of a comparison, fetched: its trace, and the weights of its head.
import { ServerGone, StudioError } from "../../protocol/client";
import type { Part, Question, Trace } from "../../protocol/types";
import { layerOf, partOf } from "../parts";
import { Patterns } from "../patterns";
import type { Picture } from "../picture.svelte";
import { gridOf, type Grid } from "./grid";

export interface Wish {
  question: Question;
  /** The part wanted, where the model has several. */
  part: string;
  layer: number;
  head: number;
}

export interface Right {
  trace: Trace;
  part: Part;
  layer: number;
  head: number;
  grid: Grid;
}

/** After so long, in ms, a Studio that had too much to do is asked again. */
const BUSY = 1500;

export class RightSide {
  shown = $state.raw<Right | null>(null);
  problem = $state.raw<StudioError | null>(null);
  busy = $state(false);
  #patterns: Patterns | null = null;
  #about = "";

  constructor(private readonly picture: Picture) {}

  /** A layer or head that the model does not have becomes its last. */
  async ask(wish: Wish, signal: AbortSignal): Promise<void> {
    this.busy = true;
    const { source, reader } = this.picture;
    try {
      const about = JSON.stringify([wish.question, wish.part]);
      let known = this.#patterns;
      if (!known || this.#about !== about) {
        const trace = await source.postTrace(wish.question, reader.language, signal);
        known = new Patterns(source, trace, partOf(trace, wish.part));
      }
      const { trace, part } = known;
      const layer = layerOf(part, wish.layer);
      const head = Math.min(wish.head, part.num_heads - 1);
      const grid = await gridOf(known, layer, head, signal);
      if (signal.aborted) return;
      this.#patterns = known;
      this.#about = about;
      this.shown = { trace, part, layer, head, grid };
      this.problem = null;
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof StudioError) {
        const forgotten = problem.code === "trace_gone" && this.#patterns !== null;
        const busy = problem.code === "studio_busy";
        this.#patterns = null;
        if (busy) await new Promise((resolve) => setTimeout(resolve, BUSY));
        if (signal.aborted) return;
        if (forgotten || busy) return await this.ask(wish, signal);
        this.problem = problem;
      } else if (problem instanceof ServerGone) this.picture.failed(problem);
      else throw problem;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }
}
