// The other sentence of the word path: written by the reader, traced by the picture's model.
import { StudioError } from "../../protocol/client";
import type { Trace } from "../../protocol/types";
import { partOf, queriesOf } from "../parts";
import type { Picture } from "../picture.svelte";
import { label } from "../words";

export const EXAMPLE = {
  text: "El banco estaba cerrado porque el financiero llegó tarde.",
  other: "El banco estaba verde porque lo acababan de pintar.",
  word: "banco",
} as const;

export class OtherSentence {
  /** What stands in the box; the sentence that is compared is the picture's. */
  text = $state("");
  trace = $state.raw<Trace | null>(null);
  problem = $state.raw<StudioError | null>(null);
  /** The token chosen in the other text; null for the same word. */
  token = $state<number | null>(null);
  /** A word to make the source token as soon as the text that holds it has come. */
  #wanted: { text: string; word: string } | null = null;
  #asked = new AbortController();

  constructor(private readonly picture: Picture) {}

  /** Compare with what stands in the box, or with nothing where it is empty. */
  compare(): void {
    this.picture.putBeside(this.text.trim() === "" ? null : this.text);
  }

  /** Have the trace of the picture's other sentence, by its model. */
  async follow(text: string | null, model: string): Promise<void> {
    if (text !== null && this.trace?.text === text && this.trace.model === model) return;
    this.#asked.abort();
    const { signal } = (this.#asked = new AbortController());
    this.token = null;
    this.problem = null;
    this.trace = null;
    if (text === null) return;
    this.text = text;
    const { source, reader } = this.picture;
    try {
      const question = { model: this.picture.model, text, answer: null };
      const trace = await source.postTrace(question, reader.language, signal);
      if (!signal.aborted) this.trace = trace;
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof StudioError && problem.status < 500) this.problem = problem;
      else this.picture.failed(problem);
    }
  }

  /** Studio dropped one of the traces: read the other sentence again, too. */
  again(): void {
    this.trace = null;
    void this.follow(this.picture.beside, this.picture.model);
  }

  /** Two sentences in which one word means two things. */
  example(): void {
    this.#wanted = { text: EXAMPLE.text, word: EXAMPLE.word };
    this.text = EXAMPLE.other;
    this.compare();
    if (this.picture.text !== EXAMPLE.text) {
      this.picture.text = EXAMPLE.text;
      this.picture.submit();
    } else if (this.picture.trace) this.arrived(this.picture.trace);
  }

  /** The picture shows a text: choose the word that was wanted of it. */
  arrived(trace: Trace): void {
    if (this.#wanted?.text !== trace.text) return;
    const { word } = this.#wanted;
    this.#wanted = null;
    const place = queriesOf(trace, partOf(trace, this.picture.part)).findIndex((token) => label(token) === word);
    if (place >= 0) this.picture.chooseToken(place);
  }
}
