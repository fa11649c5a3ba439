// One run as it goes on: what Studio's events tell of it. The browser comes back by itself after
// a pause and says where it was, so nothing is lost and nothing is sent twice.
import { added, NO_CURVE, type Curve } from "./curve";
import { eventsPath, isUnknown } from "./client";
import type { CurveEvent, Run, Watched } from "./types";

const RETRY_EVERY = 2500;

export class LiveRun {
  run = $state.raw<Run | null>(null);
  curve = $state.raw<Curve>(NO_CURVE);
  watched = $state.raw<Watched | null>(null);
  /** Nobody answers at this moment. */
  gone = $state(false);
  /** The run was deleted. */
  deleted = $state(false);
  #events: EventSource | null = null;
  #retrying: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly id: string) {
    this.#listen();
  }

  close(): void {
    clearTimeout(this.#retrying);
    this.#events?.close();
    this.#events = null;
  }

  #listen(): void {
    const events = new EventSource(eventsPath(this.id));
    this.#events = events;
    events.onopen = () => {
      this.gone = false;
    };
    events.onerror = () => {
      // A refusal ends it for good; a lost connection the browser takes up again.
      if (events.readyState === EventSource.CLOSED && this.#events === events) void this.#refused();
      else this.gone = true;
    };
    const on = <T>(name: string, take: (data: T) => void): void => {
      events.addEventListener(name, (event) => take(JSON.parse(event.data as string) as T));
    };
    on<Run>("run", (run) => {
      this.run = run;
    });
    on<CurveEvent>("curve", (event) => {
      this.curve = added(this.curve, event);
    });
    on<Watched | null>("watched", (watched) => {
      this.watched = watched;
    });
    on("gone", () => {
      this.deleted = true;
      this.close();
    });
  }

  /** The events were refused: there is no such run, or Studio has to be asked again. */
  async #refused(): Promise<void> {
    const unknown = await isUnknown(this.id);
    if (this.#events === null) return; // closed meanwhile
    if (unknown) {
      this.deleted = true;
      this.close();
    } else {
      this.gone = true;
      this.#retrying = setTimeout(() => this.#listen(), RETRY_EVERY);
    }
  }
}
