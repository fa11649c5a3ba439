import { describe, expect, it } from "vitest";

import type { Trace } from "../../src/protocol/types";
import { readPlace } from "../../src/trace/address";
import { layerOf } from "../../src/trace/parts";
import { settled, type Aim, type Earlier } from "../../src/trace/settled";
import { partNamed, tokensOf, traceOf } from "./traced";

const bert = traceOf(tokensOf("[CLS]|El| perro| que| persigu|ió| al| gato|.|[SEP]"));
const gpt = traceOf(tokensOf("El| pe|rro| que| persiguió| al| gato|."), { model: "gpt" });
const now: Aim = { layer: 3, head: 2, token: 7, key: 5 };

function settle(
  trace: Trace,
  change: { search?: string; before?: Trace; now?: Partial<Aim>; part?: number } = {},
): ReturnType<typeof settled> {
  const { search, before } = change;
  const place = search === undefined ? null : readPlace(search);
  const earlier: Earlier | null = before ? { trace: before, tokens: before.tokens } : null;
  const part = trace.parts[change.part ?? 0] ?? partNamed("");
  return settled(trace, part, place, earlier, { ...now, ...change.now });
}

describe("a layer and a head", () => {
  it("are those that the address names, else those looked at before", () => {
    const at = "?at=layers.5.attention.pattern";
    expect(settle(bert, { search: `${at}&head=0` })).toMatchObject({ layer: 5, head: 0 });
    expect(settle(bert, { search: at })).toMatchObject({ layer: 5, head: 2, problem: null });
    expect(settle(bert, { search: "" })).toMatchObject({ layer: 3, head: 2, problem: null });
    expect(settle(bert)).toMatchObject({ layer: 3, head: 2, problem: null });
  });

  it.each([
    ["?at=layers.6.attention.pattern", 5, "layer_out_of_range", { layer: 6, num_layers: 6 }],
    ["?head=8", 3, "head_out_of_range", { head: 8, num_heads: 8 }],
  ])("become the last, and it is said, where %s names others", (search, layer, code, values) => {
    const found = settle(bert, { search });
    expect(found.problem).toEqual({ code, values, message: "" });
    expect(found.layer).toBe(layer);
    expect(found.head).toBe(search.includes("head") ? 7 : 2);
  });

  it("become the last of a smaller model, and nobody named them", () => {
    const small = traceOf(bert.tokens, { parts: [partNamed("", { num_layers: 2, num_heads: 1 })] });
    expect(settle(small, { before: bert })).toMatchObject({ layer: 1, head: 0, problem: null });
  });
});

describe("a part", () => {
  const encoder = partNamed("encoder");
  const cross = partNamed("cross", { queries: "decoder_tokens" });
  const translator = traceOf(bert.tokens, {
    parts: [encoder, cross],
    decoder_tokens: tokensOf("[BOS]|The| dog"),
  });

  it("that the model does not have is said, with those that it has", () => {
    const search = "?at=decoder.layers.1.attention.pattern";
    expect(settle(translator, { search }).problem).toMatchObject({
      code: "part_unknown",
      values: { part: "decoder", known: "encoder, cross" },
    });
    expect(settle(bert, { search }).problem?.values).toEqual({ part: "decoder", known: "—" });
  });

  it("has a source token among those that look, and a key among those looked at", () => {
    const found = settle(translator, { search: "?token=9", part: 1, now: { key: 9 } });
    expect(found).toMatchObject({ token: 2, key: 9, problem: null });
  });
});

describe("the source token", () => {
  it("is the one that the address names, the last, or none", () => {
    expect(settle(bert, { search: "?token=4", before: bert }).token).toBe(4);
    expect(settle(bert, { search: "?token=10" }).token).toBe(9);
    expect(settle(bert, { search: "?token=none", before: bert }).token).toBeNull();
  });

  it("begins at the longest word, whatever was aimed at", () => {
    expect(settle(bert, { now: { token: null } }).token).toBe(4);
    expect(settle(bert, { search: "", now: { token: 1 } }).token).toBe(4);
  });

  it("stays none where it was none", () => {
    expect(settle(gpt, { before: bert, now: { token: null } }).token).toBeNull();
  });

  it("stays on its character when the model changes", () => {
    expect(settle(gpt, { before: bert }).token).toBe(6);
    expect(settle(gpt, { before: bert, now: { token: 5 } }).token).toBe(4);
  });

  it("stays while its reader goes on writing after it, else begins anew", () => {
    const on = traceOf(tokensOf("[CLS]|El| perro| que| huye|[SEP]"));
    expect(settle(on, { before: bert, now: { token: 2 } }).token).toBe(2);
    expect(settle(on, { before: bert, now: { token: 7 } }).token).toBe(2);
  });
});

describe("the token looked at", () => {
  it("stays with the text, where the trace has as many", () => {
    expect(settle(bert, { before: gpt }).key).toBe(5);
    expect(settle(gpt, { before: bert, now: { key: 9 } }).key).toBeNull();
    expect(settle(bert, { search: "" }).key).toBe(5);
  });

  it("goes with another text", () => {
    expect(settle(traceOf(tokensOf("Hola| a| los| dos| de| ahí")), { before: bert }).key).toBeNull();
  });
});

describe("a layer without attention", () => {
  const part = partNamed("", { num_layers: 8, layers: [2, 5] });

  it("is stepped over in the direction of the step, and at the end nothing moves", () => {
    expect([layerOf(part, 3, 2), layerOf(part, 4, 5)]).toEqual([5, 2]);
    expect([layerOf(part, 6, 5), layerOf(part, 1, 2), layerOf(part, 99, 5)]).toEqual([5, 2, 5]);
  });

  it("becomes the nearest that has it", () => {
    expect([layerOf(part, 0), layerOf(part, 3), layerOf(part, 4), layerOf(part, 7)]).toEqual([2, 2, 5, 5]);
    expect(layerOf(part, 5)).toBe(5);
  });

  it("is named as the mistake that it is, with those that have attention", () => {
    const mixed = traceOf(bert.tokens, { parts: [part] });
    const found = settle(mixed, { search: "?at=layers.3.attention.pattern" });
    expect(found.layer).toBe(2);
    expect(found.problem).toMatchObject({
      code: "layer_without_attention",
      values: { layer: 3, layers: "2, 5", model: "vitral-es-bert" },
    });
  });
});
