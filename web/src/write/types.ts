// What the writing addresses take and answer: names for the types of schema.ts.
import type * as schema from "../protocol/schema";

/** A token, and what the text gains by it; `name` where it is a special token or bytes. */
export type Piece = schema.PieceOfText;
export type End = schema.StreamEnd["end"];

/** How a token is chosen, in the order in which it is asked for. */
export type Settings = Required<schema.SamplingSettings>;

export type LookQuestion = Required<schema.NextTokenRequest>;
export type WritingPlace = Omit<LookQuestion, "layer" | "head">;
export type StreamQuestion = Required<schema.StreamRequest> & { settings: Settings };

export interface Strategy extends schema.Strategy {
  settings: Settings;
  num_beams: number | null;
}

export type RaceQuestion = Required<schema.RaceRequest> & { strategies: Strategy[] };

/** What follows a place, and where its newest token attends. */
export type Look = Omit<schema.NextTokenHeader, "vocabulary" | "cross"> & {
  logits: Float32Array;
  /** The newest token's weights on what an encoder read; empty where there are none. */
  cross: Float32Array;
  /** Its weights on the tokens that the decoder reads, from `start` on; empty likewise. */
  row: Float32Array;
};

export type CandidateLine = schema.TokenShare;
export type NewestLine = schema.WrittenToken;
export type EndLine = schema.StreamEnd;
export type ColumnLine = schema.RaceColumn;
export type Vocabulary = schema.Vocabulary;
