// What the reader chooses about writing: how a token is drawn, how many, and what is looked at.
import type { Step } from "../state/trail";
import {
  DEFAULTS,
  DEFAULT_TOKENS,
  LARGEST_SEED,
  MOST_TOKENS,
  type Mode,
  type WritePlace,
} from "./address";
import type { Settings } from "./types";

type Chosen = Omit<WritePlace, "model" | "text" | "language" | "theme">;

export abstract class Choices {
  settings = $state.raw<Settings>(DEFAULTS);
  seed = $state(1);
  tokens = $state(DEFAULT_TOKENS);
  stop = $state.raw<string[]>([]);
  windowed = $state(false);
  chat = $state(false);
  layer = $state<number | null>(null);
  head = $state<number | null>(null);
  mode = $state<Mode>("steps");

  /** The choice goes into the address. */
  protected abstract record(step: Step | null): void;
  /** What a full context does has changed. */
  protected abstract otherWindow(): void;
  /** The text is read as a message, or as it is. */
  protected abstract otherForm(): void;
  /** Another head's attention is looked at. */
  protected abstract otherHead(): void;

  /** All choices, as the address has them. */
  chosen(): Chosen {
    const { settings, seed, tokens, stop, windowed, chat, layer, head, mode } = this;
    return { settings, seed, tokens, stop, windowed, chat, layer, head, mode };
  }

  set(change: Partial<Settings>): void {
    this.settings = { ...this.settings, ...change };
    this.record(null);
  }

  chooseSeed(seed: number): void {
    if (Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) this.seed = seed;
    this.record(null);
  }

  rollSeed(): void {
    this.chooseSeed(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
  }

  chooseTokens(tokens: number): void {
    if (Number.isInteger(tokens) && tokens >= 1 && tokens <= MOST_TOKENS) this.tokens = tokens;
    this.record(null);
  }

  chooseStop(stop: string[]): void {
    this.stop = stop.slice(0, 16);
    this.record(null);
  }

  chooseWindowed(windowed: boolean): void {
    this.windowed = windowed;
    this.record(null);
    this.otherWindow();
  }

  chooseChat(chat: boolean): void {
    this.chat = chat;
    this.otherForm();
    this.record("text");
  }

  chooseHead(layer: number | null, head: number | null): void {
    [this.layer, this.head] = [layer, head];
    this.record("head");
    this.otherHead();
  }

  chooseMode(mode: Mode): void {
    this.mode = mode;
    this.record("mode");
  }
}
