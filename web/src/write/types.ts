// What the writing addresses answer, as docs/studio-api.md describes it.

/** A token, and what the text gains by it; `name` where it is a special token or bytes. */
export interface Piece {
  id: number;
  piece: string;
  name: string | null;
}

export type End = "end" | "context" | "stop" | "length";

/** How a token is chosen, in the order in which it is asked for. */
export interface Settings {
  temperature: number;
  top_k: number | null;
  top_p: number | null;
  min_p: number | null;
  repetition_penalty: number;
}

export interface WritingPlace {
  model: string;
  text: string;
  written: number[];
  windowed: boolean;
}

export interface LookQuestion extends WritingPlace {
  layer: number | null;
  head: number | null;
}

export interface StreamQuestion extends LookQuestion {
  settings: Settings;
  seed: number;
  stop: string[];
  max_new_tokens: number;
}

export interface Strategy {
  settings: Settings;
  num_beams: number | null;
}

export interface RaceQuestion extends WritingPlace {
  strategies: Strategy[];
  seed: number;
  stop: string[];
  max_new_tokens: number;
}

/** What follows a place, and whom its newest token looks at. */
export interface Look {
  logits: Float32Array;
  /** The newest token's weights on what an encoder read; empty where there are none. */
  cross: Float32Array;
  /** Its weights on the tokens that the decoder reads, from `start` on; empty likewise. */
  row: Float32Array;
  prompt: Piece[];
  /** What the decoder of an encoder–decoder begins with; a decoder begins with the prompt. */
  opening: Piece[];
  written: Piece[];
  start: number;
  context: number | null;
  cache_bytes: number;
  ended: "end" | "context" | null;
  num_layers: number;
  num_heads: number;
  layer: number | null;
  head: number | null;
}

export interface CandidateLine {
  id: number;
  log_probability: number;
  share: number;
}

export interface NewestLine {
  token: Piece;
  share: number;
  log_probability: number;
  rank: number;
  candidates: CandidateLine[];
  attention: number[];
  cross: number[];
  start: number;
  cache_bytes: number;
}

export interface EndLine {
  end: End;
  kept: number | null;
}

export interface ColumnLine {
  column: number;
  ids: number[];
  text: string;
  mean_log_probability: number | null;
  end: End | null;
}

export interface Vocabulary {
  texts: string[];
  special: number[];
  parts: Record<string, string>;
}
