// What Studio's API answers, as docs/studio-api.md describes it.

export interface ModelCard {
  name: string;
  title: string;
  kind: string;
  num_layers: number;
  num_heads: number;
  context: number | null;
  architecture: string;
  bundled: boolean;
}

/** A room of the Studio; `install` is the command that brings what it lacks. */
export interface RoomEntry {
  name: string;
  available: boolean;
  install: string | null;
}

export interface Studio {
  version: string;
  default_model: string;
  default_text: string;
  max_text_bytes: number;
  max_tokens: number;
  max_trace_file_bytes: number;
  models: ModelCard[];
  /** Without it, all rooms are there. */
  rooms?: RoomEntry[];
}

/** `start` and `end` count characters of the text; null for the tokens that the model adds. */
export interface Token {
  id: number;
  text: string;
  start: number | null;
  end: number | null;
  special: boolean;
}

/** How many pieces of work come before a question that waits; null where that is not known. */
export interface Place {
  before: number | null;
}

/** One of a model's attentions: its only one (""), or "encoder", "decoder", "cross". */
export interface Part {
  name: string;
  num_layers: number;
  num_heads: number;
  causal: boolean;
  /** Of a layer's pattern, with "{layer}" for its number. */
  address: string;
  queries: "tokens" | "decoder_tokens";
  keys: "tokens" | "decoder_tokens";
  /** Queries and keys are known, and a weight's arithmetic with them. */
  computed: boolean;
}

/** The text of an encoder–decoder's decoder: given, or written by the model. */
export interface Answer {
  text: string;
  given: boolean;
  ended: boolean;
}

/** `num_layers`, `num_heads` and `causal` are those of the first part. */
export interface Trace {
  id: string;
  model: string;
  text: string;
  num_layers: number;
  num_heads: number;
  causal: boolean;
  parts: Part[];
  num_tokens?: number;
  tokens: Token[];
  decoder_tokens: Token[];
  answer: Answer | null;
  /** What was changed of the model while it ran. */
  edits: string[];
  /** The name of the file that it was read from. */
  opened: string | null;
  pooled_size: number;
  seconds: number;
}

/** What a trace is made of; `answer` is null where the model is to write it. */
export interface Question {
  model: string;
  text: string;
  answer: string | null;
}

/** How one attention weight came about; null in `scores` where the token may not look. */
export interface Arithmetic {
  part: string;
  layer: number;
  head: number;
  query: number;
  key: number;
  q: number[];
  k: number[];
  products: number[];
  dot: number;
  scaling: number;
  softcap: number | null;
  bias: number;
  score: number;
  scores: (number | null)[];
  sink: number | null;
  weights: number[];
  weight: number;
  output: number[];
  latex: string;
  python: string;
}

export interface Weight {
  query: number;
  key: number;
  weight: number;
}

/** A head's strongest weights, the greatest first. */
export interface StrongestWeights {
  layer: number;
  head: number;
  weights: Weight[];
}

export type ErrorValues = Record<string, string | number | string[]>;

export interface ErrorBody {
  error: { code: string; values: ErrorValues; message: string };
}
