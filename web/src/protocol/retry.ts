// A question that Studio did not answer, and that is asked again: once Studio is back, or after a
// while where it had too much to do. Only the newest is kept, except that a question about a text is
// not dropped for one about a head of the text before it.
import type { Connection } from "./connection.svelte";

/** After so long, in ms, a Studio that had too much to do is asked again. */
export const RETRY_EVERY = 2500;

export class Retry {
  #question: { isText: boolean; forget: () => void } | null = null;

  /** Without a connection there is no Studio to wait for. */
  constructor(private readonly connection: Connection | null) {}

  /** Ask `again` once Studio is back. */
  whenBack(again: () => Promise<void>, isText: boolean): void {
    this.#keep(again, isText, (now) => this.connection?.whenBack(now) ?? (() => undefined));
  }

  /** Ask `again` after a while. */
  later(again: () => Promise<void>, isText: boolean): void {
    this.#keep(again, isText, (now) => {
      const timer = setTimeout(now, RETRY_EVERY);
      return () => clearTimeout(timer);
    });
  }

  /** The question is not wanted any more. */
  forget(): void {
    this.#question?.forget();
    this.#question = null;
  }

  /** `wait` has its argument called in time, and gives what takes that back. */
  #keep(
    again: () => Promise<void>,
    isText: boolean,
    wait: (now: () => void) => () => void,
  ): void {
    if (this.#question?.isText && !isText) return;
    this.forget();
    const now = (): void => {
      this.#question = null;
      void again();
    };
    this.#question = { isText, forget: wait(now) };
  }
}
