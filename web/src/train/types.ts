// What Studio's training addresses answer, as docs/studio-api.md describes them.
import type { Token } from "../protocol/types";

export type Words = Record<"en" | "es", string>;

export interface Text {
  id: string;
  kind: "offered" | "given" | "uploaded";
  name: string;
  num_bytes: number | null;
  /** A sentence worth watching while a model learns from it. */
  watched: string;
}

/** A value of a recipe's entry; null where it is left empty. */
export type Value = boolean | number | string | (number | string)[] | null;

export interface Field {
  /** "*" stands for the place of a phase. */
  path: string;
  /** The architectures that have it; empty for all. */
  forms: string[];
  kind: "integer" | "number" | "boolean" | "choice" | "list" | "text";
  choices: string[];
  optional: boolean;
  default: Value;
  /** Asked for only where that entry is not empty. */
  needs: string | null;
  /** Asked for only where a run has several phases. */
  of_several: boolean;
  words: Words;
  takes: Words;
}

export interface Mistake extends Words {
  path: string;
}

export type State =
  | "queued"
  | "preparing"
  | "running"
  | "pausing"
  | "stopping"
  | "paused"
  | "interrupted"
  | "finished"
  | "failed";

export interface Run {
  id: string;
  name: string;
  state: State;
  /** Seconds since 1970. */
  created: number;
  source: string;
  /** In the queue, from 1. */
  place: number | null;
  error: string | null;
  step: number;
  steps: number | null;
  minutes: number | null;
  done_minutes: number;
  form: string | null;
  num_layers: number | null;
  num_heads: number | null;
  hidden_size: number | null;
  objective: string | null;
  /** The full learning rate. */
  rate: number | null;
  watch: string | null;
  /** What the finished model is called. */
  model: string | null;
}

export interface Training {
  texts: Text[];
  runs: Run[];
  endings: string[];
  max_upload_bytes: number;
  max_phases: number;
  max_watched_characters: number;
}

export interface RunRequest {
  text: string | null;
  name: string;
  minutes: number | null;
  watch: string | null;
  settings: Record<string, Value>;
}

/** Steps as columns; null where a norm overflowed. */
export interface Steps {
  step: number[];
  loss: (number | null)[];
  rate: number[];
  gradient_norm: (number | null)[];
  tokens: number[];
  seconds: number[];
}

export interface Gradients {
  step: number;
  norms: Record<string, number | null>;
}

/** An evaluation on held-out text; `held_out_loss` in nats per token, other figures if measured. */
export interface Evaluation {
  step: number;
  tokens: number;
  minutes: number;
  loss: number;
  held_out_loss: number;
  bits_per_byte?: number;
  masked_accuracy?: number;
  sample?: string;
}

export interface CurveEvent {
  restart: boolean;
  steps: Steps;
  gradients: Gradients[];
  evaluations: Evaluation[];
}

/** The watched sentence, and the steps after which its attention was written down. */
export interface Watched {
  text: string;
  causal: boolean;
  tokens: Token[];
  steps: number[];
}
