// The other sentence of the word path: written by the reader, traced by the room's model.
import { partOf, queriesOf } from "../parts";
import { room } from "../room.svelte";
import { label } from "../words";
import { reader } from "../../messages/catalogue.svelte";
import { StudioError } from "../../protocol/client";
import { source } from "../../protocol/source";
import type { Trace } from "../../protocol/types";

export const EXAMPLE = {
  text: "El banco estaba cerrado porque el financiero llegó tarde.",
  other: "El banco estaba verde porque lo acababan de pintar.",
  word: "banco",
} as const;

class Beside {
  /** What stands in the box; the sentence that is compared is the room's. */
  text = $state("");
  trace = $state.raw<Trace | null>(null);
  problem = $state.raw<StudioError | null>(null);
  /** The token chosen in the other text; null for the same word. */
  token = $state<number | null>(null);
  /** A word to make the source token as soon as the text that holds it has come. */
  #wanted: { text: string; word: string } | null = null;
  #asked = new AbortController();

  /** Compare with what stands in the box, or with nothing where it is empty. */
  compare(): void {
    room.putBeside(this.text.trim() === "" ? null : this.text);
  }

  /** Have the trace of the room's other sentence, by its model. */
  async follow(text: string | null, model: string): Promise<void> {
    if (text !== null && this.trace?.text === text && this.trace.model === model) return;
    this.#asked.abort();
    const { signal } = (this.#asked = new AbortController());
    this.token = null;
    this.problem = null;
    this.trace = null;
    if (text === null) return;
    this.text = text;
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

  /** Studio dropped one of the traces: read the other sentence again, too. */
  again(): void {
    this.trace = null;
    void this.follow(room.beside, room.model);
  }

  /** Two sentences in which one word means two things. */
  example(): void {
    this.#wanted = { text: EXAMPLE.text, word: EXAMPLE.word };
    this.text = EXAMPLE.other;
    this.compare();
    if (room.text !== EXAMPLE.text) {
      room.text = EXAMPLE.text;
      room.submit();
    } else if (room.trace) this.arrived(room.trace);
  }

  /** The room shows a text: choose the word that was wanted of it. */
  arrived(trace: Trace): void {
    if (this.#wanted?.text !== trace.text) return;
    const { word } = this.#wanted;
    this.#wanted = null;
    const place = queriesOf(trace, partOf(trace, room.part)).findIndex((token) => label(token) === word);
    if (place >= 0) room.chooseToken(place);
  }
}

export const beside = new Beside();
