import { describe, expect, it } from "vitest";

import type { Part, Trace } from "../../../src/protocol/types";
import { comparedPlace } from "../../../src/trace/touch/compared_place";
import { partNamed, tokensOf, traceOf } from "../traced";

const text = tokensOf("[CLS]|El| perro| corre|[SEP]");
const answer = tokensOf("[SEP]|The| dog| runs|[SEP]");

function placeOf(trace: Trace, part: Part, token: number | null, chosen: number | null = null): number {
  return comparedPlace({ trace, part, token }, chosen);
}

describe("where a prediction is compared", () => {
  it("is the end of a decoder's text", () => {
    const part = partNamed("", { causal: true });
    const trace = traceOf(text, { causal: true, parts: [part] });
    expect(placeOf(trace, part, 1)).toBe(4);
    expect(placeOf(trace, part, 1, 2)).toBe(2);
    expect(placeOf(trace, part, 1, 9)).toBe(4); // chosen in a longer text
  });

  it("is the source token of an encoder, or the word that says most", () => {
    const trace = traceOf(text);
    expect(placeOf(trace, partNamed(""), 3)).toBe(3);
    expect(placeOf(trace, partNamed(""), null)).toBe(2);
  });

  it("is within the answer of an encoder–decoder", () => {
    const encoder = partNamed("encoder");
    const cross = partNamed("cross", { queries: "decoder_tokens" });
    const decoder = partNamed("decoder", { queries: "decoder_tokens", keys: "decoder_tokens", causal: true });
    const trace = traceOf(text, { parts: [encoder, decoder, cross], decoder_tokens: answer });
    expect(placeOf(trace, cross, 2)).toBe(2);
    expect(placeOf(trace, decoder, 1)).toBe(1);
    expect(placeOf(trace, encoder, 1)).toBe(2); // what follows it is the last word
    expect(placeOf(trace, encoder, 1, 4)).toBe(4);
  });
});
