// Where the room's answers come from: a running Studio, a page that carries its own trace, or the
// Python of a notebook.
import type { Block } from "./block";
import type { Cell, PageOpens, QueryKeyQuestion, ViewQuestion } from "./client";
import type { Arithmetic, Question, Studio, Trace } from "./types";

export interface Source {
  /** Text and model cannot be changed, and the page's address does not name them. */
  readonly fixed: boolean;
  /** What is looked at first, where the page's address says nothing. */
  readonly opens: string;
  /** The page is somebody else's, such as a notebook's: its address is not ours to read or write. */
  readonly hosted?: boolean;
  /** The ways of seeing that it offers; without it, all that are possible. */
  readonly views?: readonly string[];
  getStudio(): Promise<Studio>;
  postTrace(question: Question, language: string, signal: AbortSignal): Promise<Trace>;
  /** A trace kept before; null where there is no other than the page's own. */
  readonly getTrace: ((trace: string, signal: AbortSignal) => Promise<Trace>) | null;
  /** The trace in a file; null where nobody is there to read it. */
  readonly postTraceFile:
    | ((file: File, language: string, signal: AbortSignal) => Promise<Trace>)
    | null;
  getPooled(trace: string, part: string, signal: AbortSignal): Promise<Block>;
  getView(trace: string, view: ViewQuestion, signal: AbortSignal): Promise<Block>;
  /** How a weight came about; null where nobody is there to work it out. */
  readonly getArithmetic:
    | ((trace: string, cell: Cell, signal: AbortSignal) => Promise<Arithmetic>)
    | null;
  /** A query's vector and some keys' (see query_key.ts); null where nobody is there to ask. */
  readonly getQueryKey:
    | ((trace: string, question: QueryKeyQuestion, signal: AbortSignal) => Promise<Block>)
    | null;
  /** The address of the trace's file; null where there is none to download. */
  filePath(trace: string): string | null;
  /** The trace as one HTML file; null where nobody is there to write it. */
  readonly getPage:
    | ((trace: string, opens: PageOpens, signal: AbortSignal) => Promise<Blob>)
    | null;
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
  return (source().hosted ? "" : location.search) || source().opens;
}
