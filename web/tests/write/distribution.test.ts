import { describe, expect, it } from "vitest";

import { candidates, percent, summary } from "../../src/write/candidates";
import { distribution, greatestOf, rankOf } from "../../src/write/distribution";
import type { Settings } from "../../src/write/types";
import made from "./distributions.json";

const off: Settings = {
  temperature: 1,
  top_k: null,
  top_p: null,
  min_p: null,
  repetition_penalty: 1,
};
const logits = Float32Array.from(made.logits);

describe("distribution", () => {
  it.each(made.ways.map((way, index) => [JSON.stringify(way), way, made.shares[index] ?? []] as const))(
    "%s is that of Python",
    (_, way, expected) => {
      const { shares } = distribution(logits, made.read, { ...off, ...way });
      const kept = (values: ArrayLike<number>): number[] =>
        Array.from(values).flatMap((value, index) => (value > 0 ? [index] : []));
      expect(kept(shares)).toEqual(kept(expected));
      expected.forEach((share, index) => expect(shares[index]).toBeCloseTo(share, 6));
    },
  );

  it("says what the model says by itself, whatever the dials", () => {
    const { own } = distribution(logits, made.read, { ...off, temperature: 0.2, top_k: 1 });
    const plain = distribution(logits, [], off).shares;
    own.forEach((value, index) => expect(Math.exp(value)).toBeCloseTo(plain[index] ?? -1, 9));
  });

  it("counts how many may be drawn", () => {
    expect(distribution(logits, [], off).kept).toBe(60);
    expect(distribution(logits, [], { ...off, top_k: 7 }).kept).toBe(7);
    expect(distribution(logits, [], { ...off, temperature: 0 }).kept).toBe(1);
  });

  it("keeps one token at least, however small p is", () => {
    expect(distribution(logits, [], { ...off, top_p: 1e-6 }).kept).toBe(1);
    expect(distribution(Float32Array.of(3), [], { ...off, top_p: 0.1 }).kept).toBe(1);
  });

  it("leaves out equal ones in order, as many as p asks for", () => {
    const { shares } = distribution(new Float32Array(4), [], { ...off, top_p: 0.5 });
    expect(Array.from(shares)).toEqual([0, 0, 0.5, 0.5]);
  });
});

describe("order", () => {
  it("is the scores'", () => {
    const values = Float64Array.of(1, 5, 3, 5, -Infinity, 4);
    expect(greatestOf(values, 3)).toEqual([1, 3, 5]);
    expect(greatestOf(values, 9)).toEqual([1, 3, 5, 2, 0, 4]);
    expect(rankOf(values, 1)).toBe(1);
    expect(rankOf(values, 5)).toBe(3);
  });

  it("is not disturbed by the dials, but by the penalty", () => {
    const plain = candidates(distribution(logits, made.read, off), null, 60);
    const sharp = candidates(
      distribution(logits, made.read, { ...off, temperature: 0.3, top_p: 0.5 }),
      null,
      60,
    );
    expect(sharp.map((row) => row.id)).toEqual(plain.map((row) => row.id));
    const penalised = candidates(
      distribution(logits, made.read, { ...off, repetition_penalty: 3 }),
      null,
      60,
    );
    expect(penalised[0]?.id).not.toBe(plain[0]?.id);
  });
});

describe("rows", () => {
  it("say what they leave out, exactly", () => {
    const next = distribution(logits, [], { ...off, top_k: 20 });
    const rows = candidates(next, null, 5);
    const rest = summary(next, rows);
    expect([rest.kept, rest.all, rest.others]).toEqual([20, 60, 55]);
    expect(rest.share + rows.reduce((sum, row) => sum + row.share, 0)).toBeCloseTo(1, 12);
  });

  it("are the line's while a text is written", () => {
    const live = {
      token: { id: 4, piece: "a", name: null },
      share: 0.5,
      log_probability: Math.log(0.25),
      rank: 1,
      candidates: [
        { id: 4, log_probability: Math.log(0.25), share: 0.5 },
        { id: 9, log_probability: Math.log(0.125), share: 0 },
      ],
      attention: [],
      cross: [],
      start: 0,
      cache_bytes: 0,
    };
    const rows = candidates(null, live, 1);
    expect(rows).toEqual([{ id: 4, own: 0.25, share: 0.5 }]);
    expect(candidates(null, null, 5)).toEqual([]);
  });

  it("have digits where they are needed", () => {
    const format = (value: number, digits: number): string => value.toFixed(digits);
    const shown = [0, 1, 0.5, 0.123456, 0.00123, 0.00001].map((value) => percent(value, format));
    expect(shown.map((each) => each.replace("\u00a0", " "))).toEqual(
      ["0 %", "100 %", "50.0 %", "12.3 %", "0.12 %", "<0.01 %"],
    );
  });
});
