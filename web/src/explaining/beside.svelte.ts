// The other sentence of the word path: written by the reader, traced by the room's model.
import { room } from "../explore/room.svelte";
import { label } from "../explore/words";
import { reader } from "../messages/catalogue.svelte";
import { StudioError } from "../protocol/client";
import { source } from "../protocol/source";
import type { Trace } from "../protocol/types";

export const EXAMPLE = {
  text: "El banco estaba cerrado porque el financiero llegó tarde.",
  other: "El banco estaba verde porque lo acababan de pintar.",
  word: "banco",
} as const;

class Beside {
  /** What stands in the box. */
  text = $state("");
  trace = $state.raw<Trace | null>(null);
  problem = $state.raw<StudioError | null>(null);
  /** The token chosen in the other text; null for the same word. */
  token = $state<number | null>(null);
  /** A word to make the source token as soon as the text that holds it has come. */
  #wanted: { text: string; word: string } | null = null;
  #asked = new AbortController();

  /** Trace what stands in the box, or let the other sentence go where it is empty. */
  async compare(): Promise<void> {
    this.#asked.abort();
    const { signal } = (this.#asked = new AbortController());
    this.token = null;
    this.problem = null;
    const text = this.text;
    if (text.trim() === "") {
      this.trace = null;
      return;
    }
    try {
      const question = { model: room.model, text, answer: null };
      const trace = await source().postTrace(question, reader.language, signal);
      if (!signal.aborted) this.trace = trace;
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof StudioError && problem.status < 500) this.problem = problem;
      else room.failed(problem);
    }
  }

  /** The other text is of another model now, or was dropped: read it again. */
  async follow(model: string): Promise<void> {
    if (this.trace && this.trace.model !== model) await this.compare();
  }

  /** Two sentences in which one word means two things. */
  example(): void {
    this.#wanted = { text: EXAMPLE.text, word: EXAMPLE.word };
    this.text = EXAMPLE.other;
    if (room.text !== EXAMPLE.text) {
      room.text = EXAMPLE.text;
      room.submit();
    }
    void this.compare();
  }

  /** The room shows a text: choose the word that was wanted of it. */
  arrived(trace: Trace): void {
    if (this.#wanted?.text !== trace.text) return;
    const { word } = this.#wanted;
    this.#wanted = null;
    const place = trace.tokens.findIndex((token) => label(token) === word);
    if (place >= 0) room.chooseToken(place);
  }
}

export const beside = new Beside();
