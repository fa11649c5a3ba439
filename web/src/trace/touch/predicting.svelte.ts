// The prediction that is compared: the last that came, or why none did.
import { ServerGone, StudioError } from "../../protocol/client";
import type { Picture } from "../picture.svelte";
import { postPrediction, type Prediction, type Touch, type Wanted } from "./client";

/** Tokens of each list. */
const COUNT = 5;
/** After so long, in ms, a Studio that had too much to do is asked again. */
const BUSY = 1500;

export class Predicting {
  found = $state.raw<Prediction | null>(null);
  problem = $state.raw<StudioError | null>(null);
  busy = $state(false);

  constructor(private readonly picture: Picture) {}

  async ask(question: Touch & Wanted, signal: AbortSignal): Promise<void> {
    this.busy = true;
    try {
      const found = await postPrediction({ ...question, count: COUNT }, this.picture.reader.language, signal);
      if (signal.aborted) return;
      this.found = found;
      this.problem = null;
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof StudioError && problem.code === "studio_busy") {
        await new Promise((resolve) => setTimeout(resolve, BUSY));
        if (!signal.aborted) return await this.ask(question, signal);
      } else if (problem instanceof StudioError) this.#say(problem, question);
      else if (problem instanceof ServerGone) this.picture.failed(problem);
      else throw problem;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  /** Where it is an edit that cannot be carried out, the picture takes it back, says so and asks again. */
  #say(problem: StudioError, question: Touch): void {
    if (question.edits.length > 0 && problem.code.startsWith("edit_")) return;
    this.problem = problem;
  }
}
