// The source token's row as it is without the edits, so that what moved can be seen.
import { partOf } from "../explore/parts";
import { Patterns } from "../explore/patterns";
import { reader } from "../messages/catalogue.svelte";
import { source } from "../protocol/source";
import type { Trace } from "../protocol/types";

class Unedited {
  row = $state.raw<Float32Array | null>(null);
  #patterns: Patterns | null = null;

  /** Fetch the row that `trace` would have there if nothing had been changed. */
  async ask(
    trace: Trace,
    layer: number,
    head: number,
    token: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const { model, text } = trace;
      const known = this.#patterns;
      if (!known || known.trace.model !== model || known.trace.text !== text) {
        this.row = null;
        this.#patterns = null;
        const plain = await source().postTrace({ model, text, answer: null }, reader.language, signal);
        this.#patterns = new Patterns(plain, partOf(plain, ""));
      }
      if (signal.aborted || token === null || !this.#patterns) return;
      this.row = await this.#patterns.row(layer, head, token, signal);
    } catch {
      // The marks of before are not drawn; whatever is wrong is said where the pictures come from.
      if (!signal.aborted) this.#patterns = this.row = null;
    }
  }
}

export const unedited = new Unedited();
