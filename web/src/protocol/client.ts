// Questions to Studio. Each takes an AbortSignal, so that a question that nobody waits for any
// more is dropped; each fails with a StudioError or a ServerGone, never with anything else.
import { readBlock, type Block } from "./block";
import { connection } from "./connection.svelte";
import { inTurn, type Before } from "./queue";
import { withPieces } from "./pieces";
import { readTokens } from "./tokens";
import type {
  Arithmetic,
  ErrorBody,
  ErrorValues,
  Question,
  StrongestWeights,
  Studio,
  Trace,
  Writes,
} from "./types";

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

/** Nobody answered: whoever waits for Studio is told once it is back. */
export function gone(reason: string): ServerGone {
  connection.lost();
  return new ServerGone(reason);
}

export interface ViewQuestion {
  address: string;
  head: number;
  rows: readonly [number, number];
  columns: readonly [number, number];
  height: number;
  width: number;
  /** Each cell just so many rows and columns, whatever height and width say. */
  cell?: number;
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
    throw gone(String(problem));
  }
  if (response.ok) {
    connection.answered();
    return response;
  }
  throw refusal(response.status, await response.text().catch(() => ""));
}

/** Why an answer of that status, with that text, is no success. */
export function refusal(status: number, text: string): StudioError | ServerGone {
  let body: Partial<ErrorBody> = {};
  try {
    body = JSON.parse(text) as Partial<ErrorBody>;
  } catch {
    // Not one of Studio's own answers: a proxy's, or a server that is going down.
    if (status >= 502) return gone(`status ${status}`);
  }
  const { code = "unexpected", values = {}, message = "" } = body.error ?? {};
  if (code === "studio_closing") return gone(message);
  connection.answered();
  return new StudioError(code, values, status, message || `status ${status}`);
}

/** What an answer holds; its end may fail to come as well as its beginning. */
async function whole<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw gone(String(problem));
  }
}

/** Ask for JSON. */
export async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await ask(path, init);
  return whole(response.json() as Promise<T>);
}

/** Ask for a block of numbers. */
export async function block(path: string, signal: AbortSignal): Promise<Block> {
  const response = await ask(path, { signal });
  return readBlock(await whole(response.arrayBuffer()));
}

export function getStudio(signal?: AbortSignal): Promise<Studio> {
  return json("/api/studio", signal ? { signal } : {});
}

export async function postTrace(
  question: Question,
  language: string,
  signal: AbortSignal,
  tell: (before: Before) => void = () => {},
): Promise<Trace> {
  const { model, text, answer, picture } = question;
  const path = picture
    ? `/api/pictures?${new URLSearchParams({ model, name: picture.name })}`
    : "/api/traces";
  const kind = picture ? "application/octet-stream" : "application/json";
  const headers = { "Content-Type": kind, "Accept-Language": language };
  const body = picture ?? JSON.stringify({ model, text, answer });
  const found = await inTurn(
    (ticket) => json<Trace>(path, { method: "POST", headers: { ...headers, ...ticket }, body, signal }),
    tell,
    signal,
  );
  return withTokens(found, signal);
}

/** The picture that a trace's tokens lie on, as the model saw it. */
export async function getPicture(trace: string): Promise<Blob> {
  return whole((await ask(`${tracePath(trace)}/picture`)).blob());
}

/** The trace with all its tokens: of a long text they come apart. */
async function withTokens(trace: Trace, signal: AbortSignal): Promise<Trace> {
  const { decoder_tokens, num_tokens } = trace;
  const complete = (num_tokens ?? 0) <= trace.tokens.length;
  const tokens = complete
    ? trace.tokens
    : readTokens(await block(`${tracePath(trace.id)}/tokens`, signal), trace.text);
  return { ...trace, tokens: withPieces(tokens), decoder_tokens: withPieces(decoder_tokens) };
}

/** A trace that Studio keeps. */
export async function getTrace(trace: string, signal: AbortSignal): Promise<Trace> {
  return withTokens(await json<Trace>(tracePath(trace), { signal }), signal);
}

/** The trace in a file, which Studio reads as it arrives. */
export async function postTraceFile(
  file: File,
  language: string,
  signal: AbortSignal,
): Promise<Trace> {
  const found = await json<Trace>(`/api/trace-files?${new URLSearchParams({ name: file.name })}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", "Accept-Language": language },
    body: file,
    signal,
  });
  return withTokens(found, signal);
}

function tracePath(trace: string): string {
  return `/api/traces/${encodeURIComponent(trace)}`;
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
  if (view.cell !== undefined) query.set("cell", String(view.cell));
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

export function getArithmetic(
  trace: string,
  cell: Cell,
  signal: AbortSignal,
): Promise<Arithmetic> {
  const query = new URLSearchParams(
    Object.entries(cell).map(([name, value]) => [name, String(value)]),
  );
  const path = `${tracePath(trace)}/arithmetic?${query}`;
  return json(path, { signal });
}

export async function getWrites(
  trace: string,
  part: string,
  signal: AbortSignal,
): Promise<(number | null)[][] | null> {
  const path = `${tracePath(trace)}/heads/writes?${new URLSearchParams({ part })}`;
  return (await json<Writes>(path, { signal })).writes;
}

export interface StrongestQuestion {
  layer: number;
  head: number;
  count: number;
  /** Leave out what looks at earlier tokens than this one. */
  least_key: number;
  /** Leave out what is fewer tokens away. */
  apart: number;
}

export async function getStrongest(
  trace: string,
  question: StrongestQuestion,
  signal: AbortSignal,
): Promise<StrongestWeights> {
  const query = new URLSearchParams(
    Object.entries(question).map(([name, value]) => [name, String(value)]),
  );
  const path = `${tracePath(trace)}/strongest?${query}`;
  return (await (await ask(path, { signal })).json()) as StrongestWeights;
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
  Record<"part" | "layer" | "head" | "heads" | "overlay" | "token" | "view" | "lang" | "theme", string>
>;

/** The trace as one HTML file. */
export async function getPage(
  trace: string,
  opens: PageOpens,
  signal: AbortSignal,
): Promise<Blob> {
  return (await ask(`${tracePath(trace)}/page?${new URLSearchParams(opens)}`, { signal })).blob();
}
