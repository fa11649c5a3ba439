// The source token's row as it is without the edits, so that what moved can be seen.
import { partOf } from "../parts";
import { Patterns } from "../patterns";
import type { Shown } from "../shown";
import { reader } from "../../messages/catalogue.svelte";
import { source } from "../../protocol/source";
import { questionOf } from "./client";

class Unedited {
  row = $state.raw<Float32Array | null>(null);
  #patterns: Patterns | null = null;
  #about = "";

  /** Fetch the row that is shown as it would be if nothing had been changed. */
  async ask({ trace, part, layer, head, token }: Shown, signal: AbortSignal): Promise<void> {
    try {
      const question = questionOf(trace);
      const about = JSON.stringify([question, part.name]);
      if (!this.#patterns || this.#about !== about) {
        this.row = null;
        this.#patterns = null;
        const plain = await source().postTrace(question, reader.language, signal);
        if (signal.aborted) return;
        this.#patterns = new Patterns(plain, partOf(plain, part.name));
        this.#about = about;
      }
      if (token === null) return;
      const row = await this.#patterns.row(layer, head, token, signal);
      if (!signal.aborted) this.row = row;
    } catch {
      // The marks of before are not drawn; whatever is wrong is said where the pictures come from.
      if (!signal.aborted) this.#patterns = this.row = null;
    }
  }
}

export const unedited = new Unedited();
