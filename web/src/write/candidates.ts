// The rows of the candidates' list, while a text is written and at rest.
import { greatestOf, type Distribution } from "./distribution";
import type { NewestLine } from "./types";

export interface Row {
  id: number;
  /** The model's own probability. */
  own: number;
  /** How likely it is to be chosen, under the dials. */
  share: number;
}

export function candidates(
  next: Distribution | null,
  live: NewestLine | null,
  count: number,
): Row[] {
  if (live) {
    return live.candidates
      .slice(0, count)
      .map(({ id, log_probability, share }) => ({ id, own: Math.exp(log_probability), share }));
  }
  if (!next) return [];
  return greatestOf(next.scores, count).map((id) => ({
    id,
    own: Math.exp(next.own[id] ?? -Infinity),
    share: next.shares[id] ?? 0,
  }));
}

/** What the rows leave out: how many tokens, and how likely one of them is to be chosen. */
export function summary(
  next: Distribution,
  rows: readonly Row[],
): { kept: number; all: number; others: number; share: number } {
  const shown = rows.reduce((sum, row) => sum + row.share, 0);
  return {
    kept: next.kept,
    all: next.shares.length,
    others: next.shares.length - rows.length,
    share: Math.max(0, 1 - shown),
  };
}

/** A probability as a percentage, with more digits where it is small. */
export function percent(share: number, format: (value: number, digits: number) => string): string {
  if (share === 0) return `${format(0, 0)}\u00a0%`;
  const value = 100 * share;
  if (value < 0.01) return `<${format(0.01, 2)}\u00a0%`;
  return `${format(value, value < 1 ? 2 : value < 99.95 ? 1 : 0)}\u00a0%`;
}
