// Questions to Studio. Each takes an AbortSignal, so that a question that nobody waits for any
// more is dropped; each fails with a StudioError or a ServerGone, never with anything else.
import { readBlock, type Block } from "./block";
import type { Arithmetic, ErrorBody, ErrorValues, Question, Studio, Trace } from "./types";

/** Studio answered that it cannot: `code` names the message `error.<code>`. */
export class StudioError extends Error {
  constructor(
    readonly code: string,
    readonly values: ErrorValues,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Nobody answered. */
export class ServerGone extends Error {}

export interface ViewQuestion {
  address: string;
  head: number;
  rows: readonly [number, number];
  columns: readonly [number, number];
  height: number;
  width: number;
  reduction?: "mean" | "max";
}

/** The most cells a side that one block may have. */
export const LARGEST_SIDE = 256;

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new ServerGone(String(problem));
  }
  if (response.ok) return response;
  let body: Partial<ErrorBody> = {};
  try {
    body = (await response.json()) as Partial<ErrorBody>;
  } catch {
    // Not one of Studio's own answers: a proxy's, or a server that is going down.
    if (response.status >= 502) throw new ServerGone(`status ${response.status}`);
  }
  const { code = "unexpected", values = {}, message = "" } = body.error ?? {};
  throw new StudioError(code, values, response.status, message || `status ${response.status}`);
}

export async function getStudio(signal?: AbortSignal): Promise<Studio> {
  return (await (await ask("/api/studio", signal ? { signal } : {})).json()) as Studio;
}

export async function postTrace(
  question: Question,
  language: string,
  signal: AbortSignal,
): Promise<Trace> {
  const response = await ask("/api/traces", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: JSON.stringify(question),
    signal,
  });
  return (await response.json()) as Trace;
}

/** A trace that Studio keeps. */
export async function getTrace(trace: string, signal: AbortSignal): Promise<Trace> {
  return (await (await ask(tracePath(trace), { signal })).json()) as Trace;
}

/** The trace in a file, which Studio reads as it arrives. */
export async function postTraceFile(
  file: File,
  language: string,
  signal: AbortSignal,
): Promise<Trace> {
  const response = await ask(`/api/trace-files?${new URLSearchParams({ name: file.name })}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", "Accept-Language": language },
    body: file,
    signal,
  });
  return (await response.json()) as Trace;
}

function tracePath(trace: string): string {
  return `/api/traces/${encodeURIComponent(trace)}`;
}

export async function block(path: string, signal: AbortSignal): Promise<Block> {
  const response = await ask(path, { signal });
  let buffer: ArrayBuffer;
  try {
    buffer = await response.arrayBuffer();
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new ServerGone(String(problem));
  }
  return readBlock(buffer);
}

export function getPooled(trace: string, part: string, signal: AbortSignal): Promise<Block> {
  return block(`${tracePath(trace)}/pooled?${new URLSearchParams({ part })}`, signal);
}

export function viewPath(trace: string, view: ViewQuestion): string {
  const query = new URLSearchParams({
    address: view.address,
    head: String(view.head),
    rows: view.rows.join(":"),
    columns: view.columns.join(":"),
    height: String(view.height),
    width: String(view.width),
    reduction: view.reduction ?? "mean",
  });
  return `${tracePath(trace)}/view?${query}`;
}

export function getView(trace: string, view: ViewQuestion, signal: AbortSignal): Promise<Block> {
  return block(viewPath(trace, view), signal);
}

export interface Cell {
  part: string;
  layer: number;
  head: number;
  query: number;
  key: number;
}

export async function getArithmetic(
  trace: string,
  cell: Cell,
  signal: AbortSignal,
): Promise<Arithmetic> {
  const query = new URLSearchParams(
    Object.entries(cell).map(([name, value]) => [name, String(value)]),
  );
  const path = `${tracePath(trace)}/arithmetic?${query}`;
  return (await (await ask(path, { signal })).json()) as Arithmetic;
}

export interface QueryKeyQuestion {
  part: string;
  layer: number;
  head: number;
  query: number;
  keys: readonly number[];
}

export function getQueryKey(
  trace: string,
  question: QueryKeyQuestion,
  signal: AbortSignal,
): Promise<Block> {
  const asked = new URLSearchParams(
    Object.entries(question).map(([name, value]) => [name, String(value)]),
  );
  return block(`${tracePath(trace)}/query-key?${asked}`, signal);
}

export function filePath(trace: string): string {
  return `${tracePath(trace)}/file`;
}

/** What a page opens with: names and values of its address. */
export type PageOpens = Partial<
  Record<"part" | "layer" | "head" | "token" | "view" | "lang" | "theme", string>
>;

/** The trace as one HTML file. */
export async function getPage(
  trace: string,
  opens: PageOpens,
  signal: AbortSignal,
): Promise<Blob> {
  return (await ask(`${tracePath(trace)}/page?${new URLSearchParams(opens)}`, { signal })).blob();
}
