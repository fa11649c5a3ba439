// The Train room: the trainings there are, the one that is looked at, and what the reader wants
// of them. Without a chosen one the room shows the form of a new one.
import { createContext } from "svelte";

import type { Reader } from "../messages/reader.svelte";
import { ServerGone, StudioError } from "../protocol/client";
import { problemOf, type Problem } from "../protocol/problem";
import type { AddressBar } from "../state/address_bar";
import type { Preferences } from "../state/preferences.svelte";
import { deleteRun, getTraining, tell } from "./client";
import { Draft } from "./draft.svelte";
import { Film } from "./film.svelte";
import { Incoming } from "./incoming.svelte";
import { LiveRun } from "./live.svelte";
import type { Run, Training } from "./types";

const EVERY = 2500;
const ID = /^[^/]{1,200}$/;

export class TrainRoom {
  training = $state.raw<Training | null>(null);
  live = $state.raw<LiveRun | null>(null);
  film = $state.raw<Film | null>(null);
  problem = $state.raw<Problem | null>(null);
  gone = $state(false);
  readonly chosen: string | null = $derived(this.live?.id ?? null);
  /** A training that a process works on, whichever is looked at. */
  readonly working: Run | null = $derived(
    this.training?.runs.find(({ state }) => ["preparing", "running", "pausing", "stopping"].includes(state)) ??
      null,
  );
  #asking = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #begun = false;
  readonly reader: Reader;
  readonly draft = new Draft(this);
  readonly incoming = new Incoming(this);

  /** `isSeen` says whether the reader is in the room. */
  constructor(
    private readonly preferences: Preferences,
    private readonly bar: AddressBar,
    private readonly isSeen: () => boolean,
  ) {
    this.reader = preferences.reader;
  }

  /** Once, when the room is first entered. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.visit(this.bar.read());
    void this.refresh();
  }

  visit(query: string): void {
    const asked = new URLSearchParams(query);
    const id = asked.get("run");
    this.#show(id !== null && ID.test(id) ? id : null);
    const [layer, head, step, beside] = ["layer", "head", "step", "beside"].map((name) =>
      whole(asked.get(name)),
    );
    if (this.film) {
      this.film.layer = layer ?? 0;
      this.film.head = head ?? 0;
      this.film.beside = beside ?? null;
      if (step != null) this.film.wanted = step;
    }
  }

  /** Look at a training; null for the form of a new one. */
  choose(id: string | null): void {
    this.problem = null;
    if (id === this.chosen) return;
    this.#show(id);
    this.bar.write(this.address(), "run");
  }

  #show(id: string | null): void {
    if (id === this.chosen) return;
    this.live?.close();
    this.live = id === null ? null : new LiveRun(id);
    this.film = this.live && new Film(this.live);
  }

  /** The film moved: the address says so. */
  filmed(): void {
    this.bar.write(this.address(), null);
  }

  address(): string {
    const query = new URLSearchParams();
    if (this.chosen !== null) query.set("run", this.chosen);
    const { film } = this;
    if (film && film.chosen !== null && film.step !== null) query.set("step", String(film.step));
    if (film && (film.layer || film.head)) {
      query.set("layer", String(film.layer));
      query.set("head", String(film.head));
    }
    if (film && film.beside !== null) query.set("beside", String(film.beside));
    const { preferences } = this;
    if (preferences.chosenLanguage !== null) query.set("lang", preferences.chosenLanguage);
    if (preferences.chosenTheme !== null) query.set("theme", preferences.chosenTheme);
    const said = query.toString();
    return said ? `?${said}` : location.pathname;
  }

  /** Ask what there is, and again from time to time while somebody looks. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#asking.abort();
    const { signal } = (this.#asking = new AbortController());
    if (document.visibilityState === "visible" && this.isSeen()) {
      try {
        this.training = await getTraining(this.reader.language, signal);
        this.gone = false;
      } catch (problem) {
        if (signal.aborted) return;
        this.failed(problem);
      }
    }
    if (!signal.aborted) this.#timer = setTimeout(() => void this.refresh(), EVERY);
  }

  async tell(id: string, what: "pause" | "resume" | "stop"): Promise<void> {
    this.problem = null;
    try {
      const run = await tell(id, what, this.reader.language);
      if (this.live?.id === id) this.live.run = run;
      await this.refresh();
    } catch (problem) {
      this.failed(problem);
    }
  }

  async delete(id: string): Promise<void> {
    this.problem = null;
    try {
      await deleteRun(id);
      if (this.chosen === id) this.choose(null);
      await this.refresh();
    } catch (problem) {
      this.failed(problem);
    }
  }

  /** Something was asked for and not given: say why. */
  failed(problem: unknown): void {
    if (problem instanceof DOMException && problem.name === "AbortError") return;
    if (problem instanceof ServerGone) this.gone = true;
    else this.problem = problemOf(problem);
  }

  /** What Studio refused, and why; null where the room's own notice says it. */
  refusal(problem: unknown): Problem | null {
    if (problem instanceof StudioError) return problemOf(problem);
    this.failed(problem);
    return null;
  }
}

function whole(text: string | null | undefined): number | null {
  return text != null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

export const [getTrain, setTrain] = createContext<TrainRoom>();
