// Whether Studio answers. Each question tells here whether it got an answer. While none comes,
// Studio is asked again every few seconds, and when it is back, what waits for that is called:
//
//     try { … } catch (problem) { if (problem instanceof ServerGone) connection.whenBack(again) }

const ASK_EVERY = 2000;

export class Connection {
  /** Nobody answered the last question. */
  gone = $state(false);
  readonly #waiting = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Nobody answered. */
  lost(): void {
    if (this.gone) return;
    this.gone = true;
    this.#later();
  }

  /** Somebody answered. */
  answered(): void {
    if (!this.gone) return;
    this.gone = false;
    clearTimeout(this.#timer);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const again of waiting) again();
  }

  /** Have `again` called once, when Studio is back; the function given takes that back. */
  whenBack(again: () => void): () => void {
    this.#waiting.add(again);
    return () => this.#waiting.delete(again);
  }

  /** Ask now whether Studio is back. */
  async ask(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const { ok } = await fetch("/api/studio", { cache: "no-store" });
      if (ok) this.answered();
    } catch {
      // Not yet.
    }
    if (this.gone) this.#later();
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.ask(), ASK_EVERY);
  }
}

/** That to the Studio which serves this page. */
export const connection = new Connection();
