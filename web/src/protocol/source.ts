// Where a picture's answers come from: a running Studio, a page that carries its own trace, or the
// Python of a notebook.
import type { Block } from "./block";
import type {
  Cell,
  PageOpens,
  QueryKeyQuestion,
  StrongestQuestion,
  ViewQuestion,
} from "./client";
import type { Connection } from "./connection.svelte";
import type { Before } from "./queue";
import type { Arithmetic, Question, StrongestWeights, Studio, Trace } from "./types";

export interface Source {
  /** Text and model cannot be changed, and the page's address does not name them. */
  readonly fixed: boolean;
  /** Whether its Studio answers; null where there is none that could go away. */
  readonly connection: Connection | null;
  /** The ways of seeing that it offers; without it, all that are possible. */
  readonly views?: readonly string[];
  getStudio(): Promise<Studio>;
  postTrace(
    question: Question,
    language: string,
    signal: AbortSignal,
    tell?: (before: Before) => void,
  ): Promise<Trace>;
  /** A trace kept before; null where there is no other than the page's own. */
  readonly getTrace: ((trace: string, signal: AbortSignal) => Promise<Trace>) | null;
  /** The trace in a file; null where nobody is there to read it. */
  readonly postTraceFile:
    | ((file: File, language: string, signal: AbortSignal) => Promise<Trace>)
    | null;
  /** The picture that a trace's tokens lie on; null or absent where there can be none. */
  readonly getPicture?: ((trace: string) => Promise<Blob>) | null;
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
  /** A head's strongest weights; null where nobody is there to look for them. */
  readonly getStrongest?:
    | ((
        trace: string,
        question: StrongestQuestion,
        signal: AbortSignal,
      ) => Promise<StrongestWeights>)
    | null;
  /** How much each head of a part writes, see trace/first_head.ts; null where that is not known. */
  readonly getWrites?: (
    trace: string,
    part: string,
    signal: AbortSignal,
  ) => Promise<(number | null)[][] | null>;
  /** The address of the trace's file; null where there is none to download. */
  filePath(trace: string): string | null;
  /** The trace as one HTML file; null where nobody is there to write it. */
  readonly getPage:
    | ((trace: string, opens: PageOpens, signal: AbortSignal) => Promise<Blob>)
    | null;
}
