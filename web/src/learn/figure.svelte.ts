// One figure of a lesson: where its reader has moved it, and how it is drawn there. While an answer
// is under way, only the last place that was moved to is asked for next.
import { StudioError } from "../protocol/client";
import { problemOf, type Problem } from "../protocol/problem";
import { postFigure } from "./client";
import type { Control, Drawing, FigureEntry, Value, Values } from "./types";

export class FigureState {
  moved = $state.raw<Values>({});
  drawing = $state.raw<Drawing | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** Its parameters as they stand: the lesson's, and what was moved. */
  readonly values: Values = $derived.by(() => ({ ...(this.entry.values as Values), ...this.moved }));
  /** It stands where the address says: the text does not place it the first time. */
  kept = false;
  #asked: Values | null = null;
  #drawn: string | null = null;

  constructor(
    private readonly lesson: string,
    readonly name: string,
    readonly entry: FigureEntry,
    private readonly changed: () => void,
    private readonly lost: (problem: unknown, again: () => void) => void,
  ) {}

  /** The reader moves one parameter. */
  move(parameter: string, value: Value): void {
    const control = this.entry.controls[parameter];
    if (!control) return;
    this.moved = { ...this.moved, [parameter]: within(control, value) };
    this.changed();
    this.draw();
  }

  /** The reader comes to a place of the text that shows the figure at these values. */
  place(values: Values): void {
    this.moved = { ...this.moved, ...values };
    this.draw();
  }

  /** As the lesson has it. */
  reset(): void {
    this.moved = {};
    this.changed();
    this.draw();
  }

  /** Draw it as it stands, unless it is drawn so. */
  draw(): void {
    const wanted = this.movedTo();
    if (JSON.stringify(wanted) === this.#drawn && !this.problem) return;
    this.#asked = wanted;
    if (!this.busy) void this.#next();
  }

  /** What was moved, of what may be moved; the lesson's own values are known to Studio. */
  movedTo(): Values {
    const known = Object.entries(this.moved).filter(([name]) => name in this.entry.controls);
    return Object.fromEntries(known);
  }

  async #next(): Promise<void> {
    this.busy = true;
    while (this.#asked) {
      const wanted = this.#asked;
      this.#asked = null;
      try {
        this.drawing = await postFigure(this.lesson, this.name, wanted, new AbortController().signal);
        this.#drawn = JSON.stringify(wanted);
        this.problem = null;
      } catch (problem) {
        if (problem instanceof StudioError) this.problem = problemOf(problem);
        else this.lost(problem, () => this.draw());
      }
    }
    this.busy = false;
  }
}

/** A value that the control can be moved to. */
export function within(control: Control, value: Value): Value {
  if (!control.range || typeof value !== "number") return value;
  const [low, high] = control.range as [number, number];
  const step = control.step ?? 1;
  const rounded = Math.round((value - low) / step) * step + low;
  return Number(Math.min(high, Math.max(low, rounded)).toFixed(6));
}

/** A value as the address has it, for that control; null for what is none. */
export function readValue(control: Control, text: string): Value | null {
  if (control.range) {
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? within(control, number) : null;
  }
  if (control.switch) return text === "true" ? true : text === "false" ? false : null;
  if (control.options) return text in control.options ? text : null;
  return text.slice(0, control.text ?? 300);
}
