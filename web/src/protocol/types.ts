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

export interface Studio {
  version: string;
  default_model: string;
  default_text: string;
  max_text_bytes: number;
  max_tokens: number;
  models: ModelCard[];
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

export interface Trace {
  id: string;
  model: string;
  text: string;
  num_layers: number;
  num_heads: number;
  causal: boolean;
  tokens: Token[];
  pooled_size: number;
  seconds: number;
}

/** How one attention weight came about; null in `scores` where the token may not look. */
export interface Arithmetic {
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

export type ErrorValues = Record<string, string | number | string[]>;

export interface ErrorBody {
  error: { code: string; values: ErrorValues; message: string };
}
