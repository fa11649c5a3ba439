// An answer that a view waits for. What cannot be shown of this text is told within the view; a
// server that has gone, or a trace that it dropped, is for the picture to deal with.
import { StudioError } from "../../protocol/client";
import type { Picture } from "../picture.svelte";

/** What cannot be shown of this text, or not without its model, which a trace from a file may lack. */
function toldHere({ status, code }: StudioError): boolean {
  return status === 422 || code === "model_unknown";
}

export class Answer<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<StudioError | null>(null);
  #about = "";

  constructor(private readonly picture: Picture) {}

  /**
   * Ask about a trace. An earlier answer stays in sight until the new one comes, unless it is of
   * another trace. Gives what drops the question: the cleanup of an effect.
   */
  ask(trace: string, question: (signal: AbortSignal) => Promise<T>): () => void {
    const asked = new AbortController();
    const { signal } = asked;
    if (trace !== this.#about) this.forget();
    this.#about = trace;
    question(signal).then(
      (value) => {
        if (signal.aborted) return;
        this.value = value;
        this.problem = null;
      },
      (problem: unknown) => {
        if (signal.aborted) return;
        if (problem instanceof StudioError && toldHere(problem)) {
          this.problem = problem;
          this.value = null;
        } else this.picture.failed(problem);
      },
    );
    return () => asked.abort();
  }

  forget(): void {
    this.#about = "";
    this.value = null;
    this.problem = null;
  }
}
