// Where the room's answers come from: a running Studio, or a page that carries its own trace.
import type { Block } from "./block";
import type { Cell, ViewQuestion } from "./client";
import type { Before } from "./queue";
import type { Arithmetic, Studio, Trace } from "./types";

export interface Source {
  /** Text and model cannot be changed, and the page's address does not name them. */
  readonly fixed: boolean;
  /** What is looked at first, where the page's address says nothing. */
  readonly opens: string;
  getStudio(): Promise<Studio>;
  postTrace(
    question: { model: string; text: string },
    language: string,
    signal: AbortSignal,
    tell?: (before: Before) => void,
  ): Promise<Trace>;
  getPooled(trace: string, signal: AbortSignal): Promise<Block>;
  getView(trace: string, view: ViewQuestion, signal: AbortSignal): Promise<Block>;
  /** How a weight came about; null where nobody is there to work it out. */
  readonly getArithmetic:
    | ((trace: string, cell: Cell, signal: AbortSignal) => Promise<Arithmetic>)
    | null;
  /** The address of the trace's file; null where there is none to download. */
  filePath(trace: string): string | null;
}

let current: Source | null = null;

/** Name the source, before the room begins. */
export function answerFrom(source: Source): void {
  current = source;
}

export function source(): Source {
  if (!current) throw new Error("no source of answers was named");
  return current;
}

/** What the page's address asks for, or where it says nothing, what its source opens with. */
export function asked(): string {
  return location.search || source().opens;
}
