// The distribution of the next token, shaped in the browser: the same changes in the same order
// as `vitral.generation.sampling`, so that the bars move with the dials at once. A test compares
// the two.
import type { Settings } from "./types";

export interface Distribution {
  /** What the model says, nothing changed: logarithms of probabilities. */
  own: Float64Array;
  /** The logits after the penalty on repetition: the order in which candidates are shown. */
  scores: Float64Array;
  /** How likely each token is to be chosen, after all changes. */
  shares: Float64Array;
  /** How many may be chosen at all. */
  kept: number;
}

export function distribution(
  logits: Float32Array,
  read: Iterable<number>,
  settings: Settings,
): Distribution {
  const own = logSoftmax(logits);
  const scores = penalised(logits, read, settings.repetition_penalty);
  let shares: Float64Array;
  if (settings.temperature === 0) {
    shares = new Float64Array(logits.length);
    if (shares.length > 0) shares[largest(scores)] = 1;
  } else {
    const shaped = scores.map((score) => Math.fround(score / settings.temperature));
    if (settings.top_k !== null) keepTopK(shaped, settings.top_k);
    if (settings.top_p !== null) keepTopP(shaped, settings.top_p);
    if (settings.min_p !== null) keepMinP(shaped, settings.min_p);
    shares = softmax(shaped);
  }
  return { own, scores, shares, kept: shares.reduce((sum, share) => sum + (share > 0 ? 1 : 0), 0) };
}

function penalised(logits: Float32Array, read: Iterable<number>, penalty: number): Float64Array {
  const scores = Float64Array.from(logits);
  if (penalty === 1) return scores;
  for (const token of new Set(read)) {
    const logit = logits[token];
    if (logit !== undefined) scores[token] = Math.fround(logit < 0 ? logit * penalty : logit / penalty);
  }
  return scores;
}

function keepTopK(scores: Float64Array, k: number): void {
  if (k >= scores.length) return;
  const least = scores.slice().sort()[scores.length - k] as number;
  leaveOut(scores, (score) => score < least);
}

/** The least likely are left out while they do not reach 1 − p together; equal ones in order. */
function keepTopP(scores: Float64Array, p: number): void {
  const ascending = scores.slice().sort();
  const shares = softmax(ascending);
  let [sum, out] = [0, 0];
  for (; out < scores.length - 1; out += 1) {
    sum += Math.fround(shares[out] as number);
    if (sum > 1 - p) break;
  }
  const least = ascending[out] as number;
  let equal = out - ascending.indexOf(least);
  leaveOut(scores, (score) => score < least || (score === least && equal-- > 0));
}

function keepMinP(scores: Float64Array, p: number): void {
  const shares = softmax(scores);
  const least = p * shares.reduce((a, b) => Math.max(a, b), 0);
  leaveOut(scores, (_, index) => (shares[index] as number) < least);
}

function leaveOut(scores: Float64Array, which: (score: number, index: number) => boolean): void {
  scores.forEach((score, index) => {
    if (which(score, index)) scores[index] = -Infinity;
  });
}

function softmax(scores: Float64Array): Float64Array {
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = scores.map((score) => Math.exp(score - most));
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / sum);
}

function logSoftmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return Float64Array.from(logits, (logit) => logit - most - Math.log(sum));
}

function largest(values: Float64Array): number {
  let best = 0;
  values.forEach((value, index) => {
    if (value > (values[best] as number)) best = index;
  });
  return best;
}

/** From 1, the model's likeliest token: how many are likelier, and one. */
export function rankOf(own: Float64Array, token: number): number {
  const value = own[token] as number;
  return own.reduce((count, other) => count + (other > value ? 1 : 0), 1);
}

/** The positions of the `count` greatest values, the greatest first. */
export function greatestOf(values: Float64Array, count: number): number[] {
  const best: number[] = [];
  values.forEach((value, index) => {
    const last = best[best.length - 1];
    if (best.length === count && last !== undefined && value <= (values[last] as number)) return;
    let place = best.length;
    while (place > 0 && (values[best[place - 1] as number] as number) < value) place -= 1;
    best.splice(place, 0, index);
    if (best.length > count) best.pop();
  });
  return best;
}
