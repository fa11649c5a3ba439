// What the model made of the places seen most recently: going back to one asks for nothing.
import type { Look } from "./types";

const MOST = 48;

export class RecentAnswers {
  readonly #answers = new Map<string, Look>();

  find(name: string): Look | null {
    return this.#answers.get(name) ?? null;
  }

  add(name: string, answer: Look): void {
    this.#answers.set(name, answer);
    const oldest = this.#answers.keys().next().value;
    if (this.#answers.size > MOST && oldest !== undefined) this.#answers.delete(oldest);
  }

  clear(): void {
    this.#answers.clear();
  }
}
