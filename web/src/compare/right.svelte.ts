// The right side of a comparison, fetched: its trace, and the weights of its head.
import { partOf } from "../explore/parts";
import { Patterns } from "../explore/patterns";
import { reader } from "../messages/catalogue.svelte";
import { ServerGone, StudioError } from "../protocol/client";
import { source } from "../protocol/source";
import type { Trace } from "../protocol/types";
import { room } from "../explore/room.svelte";

export interface Wish {
  model: string;
  text: string;
  layer: number;
  head: number;
}

export interface Right {
  trace: Trace;
  layer: number;
  head: number;
  /** All weights; null for a text too long to be drawn whole. */
  matrix: Float32Array | null;
}

class RightSide {
  shown = $state.raw<Right | null>(null);
  problem = $state.raw<StudioError | null>(null);
  busy = $state(false);
  #patterns: Patterns | null = null;

  /** A layer or head that the model does not have becomes its last. */
  async ask({ model, text, layer, head }: Wish, signal: AbortSignal): Promise<void> {
    this.busy = true;
    try {
      let known = this.#patterns;
      if (!known || known.trace.model !== model || known.trace.text !== text) {
        const question = { model, text, answer: null };
        const trace = await source().postTrace(question, reader.language, signal);
        known = new Patterns(trace, partOf(trace, ""));
      }
      const { trace } = known;
      const place = {
        layer: Math.min(layer, trace.num_layers - 1),
        head: Math.min(head, trace.num_heads - 1),
      };
      const matrix = known.whole ? await known.matrix(place.layer, place.head, signal) : null;
      if (signal.aborted) return;
      this.#patterns = known;
      this.shown = { trace, ...place, matrix };
      this.problem = null;
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof StudioError) {
        const forgotten = problem.code === "trace_gone" && this.#patterns !== null;
        this.#patterns = null;
        if (forgotten) return await this.ask({ model, text, layer, head }, signal);
        this.problem = problem;
      } else if (problem instanceof ServerGone) room.failed(problem);
      else throw problem;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }
}

export const rightSide = new RightSide();
