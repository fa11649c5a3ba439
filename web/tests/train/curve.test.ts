import { describe, expect, it } from "vitest";

import { added, MOST_POINTS, NO_CURVE, progress, secondsLeft, speeds } from "../../src/train/curve";
import type { CurveEvent, Evaluation } from "../../src/train/types";

function steps(first: number, count: number, seconds = 0.5): CurveEvent["steps"] {
  const step = Array.from({ length: count }, (_, index) => first + index);
  return {
    step,
    loss: step.map((at) => 10 / at),
    rate: step.map(() => 1),
    gradient_norm: step.map(() => 0.5),
    tokens: step.map((at) => 100 * at),
    seconds: step.map(() => seconds),
  };
}

function event(first: number, count: number, more: Partial<CurveEvent> = {}): CurveEvent {
  return { restart: false, steps: steps(first, count), gradients: [], evaluations: [], ...more };
}

const evaluation = (step: number): Evaluation => ({ step, tokens: 1, minutes: 1, loss: 1, held_out_loss: 2 });

describe("added", () => {
  it("puts new steps after those that are known, each once", () => {
    const curve = added(added(NO_CURVE, event(1, 5)), event(4, 4));
    expect(curve.steps.step).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(curve.steps.tokens).toEqual([100, 200, 300, 400, 500, 600, 700]);
  });

  it("forgets what was cut with a checkpoint", () => {
    const before = added(NO_CURVE, event(1, 50, { evaluations: [evaluation(20), evaluation(40)] }));
    const after = added(before, event(1, 30, { restart: true, evaluations: [evaluation(20)] }));
    expect(after.steps.step).toHaveLength(30);
    expect(after.evaluations.map(({ step }) => step)).toEqual([20]);
  });

  it("does not know a evaluation twice", () => {
    const curve = added(added(NO_CURVE, event(1, 2, { evaluations: [evaluation(2)] })), event(3, 1, { evaluations: [evaluation(2), evaluation(3)] }));
    expect(curve.evaluations.map(({ step }) => step)).toEqual([2, 3]);
  });

  it("joins two points where there are too many, and loses no time", () => {
    const curve = added(NO_CURVE, event(1, MOST_POINTS + 2));
    expect(curve.steps.step).toHaveLength(MOST_POINTS / 2 + 1);
    expect(curve.steps.step.slice(0, 2)).toEqual([2, 4]);
    expect(curve.steps.loss[0]).toBeCloseTo((10 + 5) / 2);
    const seconds = curve.steps.seconds.reduce((sum, each) => sum + each, 0);
    expect(seconds).toBeCloseTo((MOST_POINTS + 2) * 0.5);
  });
});

describe("speed and time", () => {
  it("is the tokens over the seconds that they took", () => {
    const found = speeds(steps(1, 30), 10);
    expect(found[0]).toBeNull();
    expect(found.at(-1)).toBeCloseTo(200);
  });

  it("foresees the end of so many steps", () => {
    expect(secondsLeft(steps(1, 40), { steps: 100, minutes: null })).toBeCloseTo(30);
    expect(secondsLeft(steps(1, 2), { steps: 100, minutes: null })).toBeNull();
    expect(progress(steps(1, 40), { steps: 100, minutes: null })).toBeCloseTo(0.4);
  });

  it("foresees the end of so many minutes", () => {
    expect(secondsLeft(steps(1, 60), { steps: null, minutes: 1 })).toBeCloseTo(30);
    expect(progress(steps(1, 60), { steps: null, minutes: 1 })).toBeCloseTo(0.5);
    expect(secondsLeft(steps(1, 600), { steps: null, minutes: 1 })).toBe(0);
  });
});
