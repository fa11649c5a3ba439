// The watched sentence's attention, step by step: which step is shown, and its weights as they
// come. A step's small maps come in one block, the large head's weights in another; both are kept.
import type { HeadMaps } from "../trace/first_head";
import { getWatchedPattern, getWatchedPooled } from "./client";
import type { LiveRun } from "./live.svelte";

const KEPT = 240;

export interface Frame {
  step: number;
  maps: HeadMaps;
  numLayers: number;
  numHeads: number;
  layer: number;
  head: number;
  /** The chosen head's weights [tokens × tokens]. */
  pattern: Float32Array;
}

export class Film {
  /** The place among the steps; null follows the newest. */
  chosen = $state<number | null>(null);
  layer = $state(0);
  head = $state(0);
  frame = $state.raw<Frame | null>(null);
  playing = $state(false);
  /** The step that is compared with; null for none. */
  beside = $state<number | null>(null);
  /** The chosen head's weights after that step, once they have come. */
  other = $state.raw<Pick<Frame, "step" | "layer" | "head" | "pattern"> | null>(null);
  /** A step that an address asked for, until the steps are known. */
  wanted: number | null = null;
  readonly steps: readonly number[] = $derived.by(() => this.live.watched?.steps ?? []);
  readonly at: number = $derived(
    this.chosen === null ? this.steps.length - 1 : Math.min(this.chosen, this.steps.length - 1),
  );
  readonly step: number | null = $derived(this.steps[this.at] ?? null);
  #maps = new Map<number, Promise<HeadMaps>>();
  #patterns = new Map<string, Promise<Float32Array>>();
  #wanted = "";

  constructor(readonly live: LiveRun) {}

  /** Go to a place; the last one follows what comes. */
  go(at: number): void {
    const last = this.steps.length - 1;
    this.chosen = at >= last ? null : Math.max(0, at);
  }

  /** Go to the step that an address asked for, now that the steps are known. */
  settle(): void {
    if (this.wanted === null || this.steps.length === 0) return;
    const at = this.steps.findIndex((step) => step >= (this.wanted ?? 0));
    this.wanted = null;
    if (at >= 0) this.go(at);
  }

  /** Fetch what is to be shown. Called whenever that changes; an older answer is not shown. */
  async fetch(step: number, layer: number, head: number): Promise<void> {
    const wanted = (this.#wanted = `${step} ${layer} ${head}`);
    const maps = await this.#mapsOf(step);
    const first = maps.scale.length;
    const shown = { layer: Math.min(layer, first - 1), head: Math.min(head, (maps.scale[0]?.length ?? 1) - 1) };
    const pattern = await this.#patternOf(step, shown.layer, shown.head);
    if (this.#wanted !== wanted) return;
    this.frame = { step, maps, numLayers: first, numHeads: maps.scale[0]?.length ?? 0, pattern, ...shown };
  }

  /** Fetch the head that is shown as it is after another step. */
  async fetchBeside(step: number, { layer, head }: Frame): Promise<void> {
    const pattern = await this.#patternOf(step, layer, head);
    if (this.beside === step && this.frame?.layer === layer && this.frame.head === head) {
      this.other = { step, layer, head, pattern };
    }
  }

  #mapsOf(step: number): Promise<HeadMaps> {
    return kept(this.#maps, step, async () => {
      const { header, values } = await getWatchedPooled(this.live.id, step, never);
      return {
        height: header.shape[2] ?? 0,
        width: header.shape[3] ?? 0,
        values: values as Uint8Array,
        scale: header["scale"] as number[][],
        aggregated: header.aggregated,
      };
    });
  }

  #patternOf(step: number, layer: number, head: number): Promise<Float32Array> {
    return kept(this.#patterns, `${step} ${layer} ${head}`, async () => {
      const { values } = await getWatchedPattern(this.live.id, step, layer, head, never);
      return values as Float32Array;
    });
  }
}

const never = new AbortController().signal;

/** The answer by this name, asked for once; one that failed is asked for again. */
function kept<K, V>(answers: Map<K, Promise<V>>, name: K, ask: () => Promise<V>): Promise<V> {
  let found = answers.get(name);
  if (!found) {
    found = ask();
    found.catch(() => answers.delete(name));
    answers.set(name, found);
    for (const oldest of answers.keys()) {
      if (answers.size <= KEPT) break;
      answers.delete(oldest);
    }
  }
  return found;
}
