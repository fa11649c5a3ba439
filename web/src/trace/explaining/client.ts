// Questions about a whole text; see protocol/client.ts for what they have in common.
import { ask } from "../../protocol/client";
import type { Constancy, Graph, GraphKind, Heads, Predictions, WordPath } from "./types";

type Query = Record<string, string | number | boolean | null>;

async function get<T>(
  trace: string,
  path: string,
  query: Query,
  signal: AbortSignal,
  language?: string,
): Promise<T> {
  const given = Object.entries(query).filter(([, value]) => value !== null);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  const address = `/api/traces/${encodeURIComponent(trace)}/${path}?${search}`;
  const headers: Record<string, string> = language ? { "Accept-Language": language } : {};
  return (await (await ask(address, { signal, headers })).json()) as T;
}

/** What each head of a part does, in sentences of `language`. */
export function getHeads(
  trace: string,
  part: string,
  language: string,
  signal: AbortSignal,
): Promise<Heads> {
  return get(trace, "heads", { part }, signal, language);
}

export function getConstancy(
  trace: string,
  part: string,
  signal: AbortSignal,
): Promise<Constancy> {
  return get(trace, "heads/constancy", { part }, signal);
}

export interface GraphQuestion {
  part: string;
  token: number;
  kind: GraphKind;
  layer: number | null;
  head: number | null;
  source: number | null;
  least: number;
}

export function getGraph(trace: string, asked: GraphQuestion, signal: AbortSignal): Promise<Graph> {
  return get(trace, "graph", { ...asked }, signal);
}

export interface PathQuestion {
  part: string;
  token: number;
  other: string | null;
  other_token: number | null;
  directions: boolean;
  together: boolean;
}

export function getPath(trace: string, asked: PathQuestion, signal: AbortSignal): Promise<WordPath> {
  return get(trace, "path", { ...asked }, signal);
}

export function getPredictions(
  trace: string,
  asked: { token: number; blank: boolean; count: number },
  signal: AbortSignal,
): Promise<Predictions> {
  return get(trace, "predictions", asked, signal);
}
