// Traces of small texts, for the tests of what looks at one.
import type { Part, Token, Trace } from "../../src/protocol/types";

/** Tokens of a text cut at the bars, each with the space before it; [names] are special. */
export function tokensOf(cut: string): Token[] {
  let at = 0;
  return cut.split("|").map((text, id) => {
    if (/^\[.+\]$/.test(text)) return { id, text, start: null, end: null, special: true };
    const start = at;
    at += text.length;
    return { id, text, start, end: at, special: false };
  });
}

export function partNamed(name: string, change: Partial<Part> = {}): Part {
  return {
    name,
    num_layers: 6,
    layers: Array.from({ length: change.num_layers ?? 6 }, (_, layer) => layer),
    num_heads: 8,
    causal: false,
    address: "layers.{layer}.attention.pattern",
    queries: "tokens",
    keys: "tokens",
    num_queries: 0,
    num_keys: 0,
    computed: true,
    ...change,
  };
}

export function traceOf(tokens: Token[], change: Partial<Trace> = {}): Trace {
  return {
    id: "0123456789abcdef".repeat(2),
    model: "vitral-es-bert",
    text: tokens.map((token) => (token.special ? "" : token.text)).join(""),
    num_layers: 6,
    num_heads: 8,
    causal: false,
    parts: [partNamed("")],
    num_tokens: tokens.length,
    tokens,
    decoder_tokens: [],
    answer: null,
    edits: [],
    opened: null,
    pooled_size: 48,
    seconds: 0.1,
    ...change,
  };
}
