// The browser's history of what was looked at. Each choice is a place to come back to; a run of
// choices of one kind (arrow keys through the heads, letters of a sentence) is one place.

/** What kind of choice it was, such as "head" or "token". */
export type Step = string;

/** Choices of one kind that follow within this time (in ms) are one step. */
export const ONE_STEP = 1200;

export class Trail {
  #step: Step | null = null;
  #moment = -Infinity;

  constructor(
    private readonly history: Pick<History, "pushState" | "replaceState"> = window.history,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The reader went back or forward: what follows is a new step. */
  leave(): void {
    this.#step = null;
  }

  /** Write `address`: as a new step of the history, or in place of the last where `step` is null. */
  record(address: string, step: Step | null): void {
    const moment = this.now();
    const goesOn = step === this.#step && moment - this.#moment < ONE_STEP;
    if (step === null || goesOn) this.history.replaceState(null, "", address);
    else this.history.pushState(null, "", address);
    this.#step = step ?? this.#step;
    this.#moment = moment;
  }
}
