// The source token's row as it is without the edits, so that what moved can be seen.
import { partOf } from "../parts";
import { Patterns } from "../patterns";
import type { Picture } from "../picture.svelte";
import type { Shown } from "../shown";
import { questionOf } from "./client";

export class Unedited {
  row = $state.raw<Float32Array | null>(null);
  #patterns: Patterns | null = null;
  #about = "";

  constructor(private readonly picture: Picture) {}

  /** Fetch the row that is shown as it would be if nothing had been changed. */
  async ask({ trace, part, layer, head, token }: Shown, signal: AbortSignal): Promise<void> {
    try {
      const { source, reader } = this.picture;
      const question = questionOf(trace);
      const about = JSON.stringify([question, part.name]);
      if (!this.#patterns || this.#about !== about) {
        this.row = null;
        this.#patterns = null;
        const plain = await source.postTrace(question, reader.language, signal);
        if (signal.aborted) return;
        this.#patterns = new Patterns(source, plain, partOf(plain, part.name));
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
