// A surface: the material that a trace's tokens are parts of.
//
// It draws its material with the tokens on it, and answers three questions: where is this token,
// which token is here, and how do these weights look on it. To add one: what it is, without
// components, is a line in kinds.ts; what draws it, a line in drawings.ts.
import type { Component } from "svelte";

import type { Reader } from "../../messages/reader.svelte";
import type { Part, Token, Trace } from "../../protocol/types";
import type { Shown } from "../shown";

export type TokenList = Part["queries"];

export interface Surface {
  /** Do these tokens lie on it? */
  holds: (trace: Trace, list: TokenList) => boolean;
  /** What a token is called in a sentence. */
  nameOf: (token: Token, reader: Reader) => string;
  /** The token looked at first. */
  firstSource: (tokens: readonly Token[]) => number;
}

export interface Drawing {
  /** The material with its tokens, one of which may be chosen: above the panes. */
  Tokens: Component;
  /** The tokens that attend beside those attended to. */
  Lines: Component<{ shown: Shown }>;
}

/** Where the tokens of a material lie, in its own units (pixels of a picture). */
export interface Places<Place> {
  placeOf(token: number): Place | null;
  tokenAt(x: number, y: number): number | null;
  /** The weights of all tokens, laid out as the material is; NaN where no token lies. */
  paint(weights: ArrayLike<number>): Float32Array;
}
