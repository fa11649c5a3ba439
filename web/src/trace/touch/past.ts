// Undo and redo: what was, what is, what was taken back. Changes of one gesture (a drag, a run of
// arrow keys) are one step.

export const ONE_GESTURE = 1000;


export class Past<T> {
  #past: T[] = [];
  #future: T[] = [];
  #gesture: string | null = null;
  #moment = -Infinity;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** `before` is about to become something else, by a gesture of this name (null: by one of its own). */
  leave(before: T, gesture: string | null): void {
    const moment = this.clock();
    const goesOn =
      gesture !== null && gesture === this.#gesture && moment - this.#moment < ONE_GESTURE;
    if (!goesOn) this.#past.push(before);
    this.#gesture = gesture;
    this.#moment = moment;
    this.#future = [];
  }

  /** What was before `now`; `now` itself where there is nothing. */
  undo(now: T): T {
    this.#gesture = null;
    const before = this.#past.pop();
    if (before === undefined) return now;
    this.#future.push(now);
    return before;
  }

  redo(now: T): T {
    this.#gesture = null;
    const after = this.#future.pop();
    if (after === undefined) return now;
    this.#past.push(now);
    return after;
  }

  /** The last step did not come about. */
  drop(): void {
    this.#past.pop();
    this.#gesture = null;
  }

  forget(): void {
    this.#past = [];
    this.#future = [];
    this.#gesture = null;
  }
}
