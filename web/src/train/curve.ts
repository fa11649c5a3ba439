// The curve of a run as the page keeps it: columns that grow, and are thinned out when they are
// long, so that an hour's training draws as quickly as a minute's.
import type { CurveEvent, Evaluation, Gradients, Steps } from "./types";

/** More points than this are joined, two by two. */
export const MOST_POINTS = 4000;
const MOST_GRADIENTS = 600;

export interface Curve {
  steps: Steps;
  gradients: Gradients[];
  evaluations: Evaluation[];
}

export const NO_STEPS: Steps = {
  step: [],
  loss: [],
  rate: [],
  gradient_norm: [],
  tokens: [],
  seconds: [],
};

export const NO_CURVE: Curve = { steps: NO_STEPS, gradients: [], evaluations: [] };

const NAMES = ["step", "loss", "rate", "gradient_norm", "tokens", "seconds"] as const;

/** The curve with what an event adds. A step that is known already is not added twice. */
export function added(curve: Curve, event: CurveEvent): Curve {
  const before = event.restart ? NO_CURVE : curve;
  return {
    steps: thinned(joined(before.steps, event.steps)),
    gradients: everySecond(
      [...before.gradients, ...event.gradients.filter(({ step }) => step > lastOf(before.gradients))],
      MOST_GRADIENTS,
    ),
    evaluations: [
      ...before.evaluations,
      ...event.evaluations.filter(({ step }) => step > lastOf(before.evaluations)),
    ],
  };
}

function lastOf(lines: readonly { step: number }[]): number {
  return lines.at(-1)?.step ?? -1;
}

function joined(before: Steps, more: Steps): Steps {
  const last = before.step.at(-1) ?? -1;
  const first = more.step.findIndex((step) => step > last);
  if (first < 0) return before;
  const column = <T>(a: T[], b: T[]): T[] => [...a, ...b.slice(first)];
  return {
    step: column(before.step, more.step),
    loss: column(before.loss, more.loss),
    rate: column(before.rate, more.rate),
    gradient_norm: column(before.gradient_norm, more.gradient_norm),
    tokens: column(before.tokens, more.tokens),
    seconds: column(before.seconds, more.seconds),
  };
}

/** Two by two: mean loss and norm, seconds added up, of the rest the later one's. */
function thinned(steps: Steps): Steps {
  if (steps.step.length <= MOST_POINTS) return steps;
  const half: Steps = { step: [], loss: [], rate: [], gradient_norm: [], tokens: [], seconds: [] };
  for (let at = 0; at < steps.step.length; at += 2) {
    const later = Math.min(at + 1, steps.step.length - 1);
    for (const name of NAMES) {
      const [a, b] = [steps[name][at] ?? null, steps[name][later] ?? null];
      if (name === "loss" || name === "gradient_norm") half[name].push(mean(a, b));
      else if (name === "seconds") half.seconds.push((a ?? 0) + (later > at ? (b ?? 0) : 0));
      else half[name].push(b ?? 0);
    }
  }
  return half;
}

function mean(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return (a + b) / 2;
}

function everySecond<T>(lines: T[], most: number): T[] {
  return lines.length <= most ? lines : lines.filter((_, at) => at % 2 === lines.length % 2);
}

/** Tokens a second at each point, over the time that the points from `span` before it took. */
export function speeds(steps: Steps, span = 20): (number | null)[] {
  return steps.step.map((_, at) => {
    const from = Math.max(0, at - span);
    if (from === at) return null;
    let seconds = 0;
    for (let each = from + 1; each <= at; each += 1) seconds += steps.seconds[each] ?? 0;
    const tokens = (steps.tokens[at] ?? 0) - (steps.tokens[from] ?? 0);
    return seconds > 0 ? tokens / seconds : null;
  });
}

/** Seconds that a run has left, if it goes on as in its last points; null at first. */
export function secondsLeft(
  steps: Steps,
  length: { steps: number | null; minutes: number | null },
): number | null {
  const count = steps.step.length;
  if (count < 3) return null;
  const from = Math.max(0, count - 50);
  let seconds = 0;
  for (let at = from + 1; at < count; at += 1) seconds += steps.seconds[at] ?? 0;
  const done = (steps.step[count - 1] ?? 0) - (steps.step[from] ?? 0);
  if (length.steps !== null) {
    return done > 0 ? Math.max(0, length.steps - (steps.step[count - 1] ?? 0)) * (seconds / done) : null;
  }
  if (length.minutes === null) return null;
  const all = steps.seconds.reduce((sum, each) => sum + each, 0);
  return Math.max(0, length.minutes * 60 - all);
}

/** How much of a run is over, 0 … 1. */
export function progress(
  steps: Steps,
  length: { steps: number | null; minutes: number | null },
): number {
  if (length.steps !== null) return Math.min(1, (steps.step.at(-1) ?? 0) / length.steps);
  if (length.minutes === null) return 0;
  const all = steps.seconds.reduce((sum, each) => sum + each, 0);
  return Math.min(1, all / (60 * length.minutes));
}
