// What a page carries in itself: the trace's tokens, a small map of every head, and of each
// layer's attention what `vitral.showing.page_data` found smallest: queries, keys and the
// log-sum-exp of each row, or the weights as they are.
import type { PictureSurface, Token } from "../protocol/types";

/** Numbers in base64, little endian. Bits are packed, the first of a byte highest. */
export interface Packed {
  type: "float32" | "bfloat16" | "uint8" | "bits";
  shape: number[];
  base64: string;
}

/** Who may look at whom: three vectors or a whole matrix; see `vitral.tracing.attention.visibility`. */
export type Rule =
  | { diagonal: Packed; columns: Packed; free: Packed; dense?: undefined }
  | { dense: Packed };

/** What is added to the scores: exactly one of the three. */
export interface Added {
  diagonal?: Packed;
  columns?: Packed;
  dense?: Packed;
}

export interface Given {
  pattern: Packed;
}

export interface Kept {
  query: Packed;
  key: Packed;
  lse: Packed;
  scaling: number;
  softcap: number | null;
  uniform_when_blind: boolean;
  /** Positions in the page's lists; null for none. */
  rule: number | null;
  bias: number | null;
}

export interface Carried {
  version: 1;
  made_with: string;
  opens: string;
  model: string;
  title: string;
  text: string;
  /** The picture that the tokens lie on; null for a text. */
  surface?: (PictureSurface & { png: string }) | null;
  num_layers: number;
  num_heads: number;
  causal: boolean;
  /** One of the model's attentions: see vitral.studio.traces.schemas. */
  part: string;
  /** How its weights were read before they came here. */
  reading?: string;
  address: string;
  tokens: Token[];
  /** The tokens looked at, where they are another text's. */
  keys: Token[] | null;
  pooled: { values: Packed; scale: number[][]; aggregated: boolean };
  rules: Rule[];
  biases: Added[];
  /** null for a layer without attention. */
  layers: (Given | Kept | null)[];
}

/** The trace that this document carries. */
export function carried(): Carried {
  const element = document.getElementById("trace");
  return JSON.parse(element?.textContent ?? "") as Carried;
}

export function bytes({ base64 }: { base64: string }): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const found = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) found[index] = binary.charCodeAt(index);
  return found;
}

export function count({ shape }: Packed): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Numbers as float32; a bfloat16 is the upper half of one. */
export function floats(packed: Packed): Float32Array {
  const raw = bytes(packed);
  if (packed.type === "float32") return new Float32Array(raw.buffer);
  if (packed.type !== "bfloat16") throw new Error(`no floats: ${packed.type}`);
  const halves = new Uint16Array(raw.buffer);
  const whole = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index += 1) {
    whole[index] = (halves[index] as number) << 16;
  }
  return new Float32Array(whole.buffer);
}

/** Bits as bytes of 0 and 1. */
export function bits(packed: Packed): Uint8Array {
  const raw = bytes(packed);
  return Uint8Array.from({ length: count(packed) }, (_, index) => {
    return ((raw[index >> 3] as number) >> (7 - (index & 7))) & 1;
  });
}
