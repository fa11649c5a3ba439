// The looks that came last: going back to a place asks for nothing.
import type { Look } from "./types";

const MOST = 48;

export class Looks {
  readonly #looks = new Map<string, Look>();

  find(name: string): Look | null {
    return this.#looks.get(name) ?? null;
  }

  add(name: string, look: Look): void {
    this.#looks.set(name, look);
    const oldest = this.#looks.keys().next().value;
    if (this.#looks.size > MOST && oldest !== undefined) this.#looks.delete(oldest);
  }

  clear(): void {
    this.#looks.clear();
  }
}
