// Heads in order, and what a measure's colour is.
import type { Head, MeasureDescription } from "./types";

/** What the table is sorted by: a measure's name, or one of these. */
export const PLACE = "place";
export const CONSTANCY = "constancy";

export interface Order {
  by: string;
  descending: boolean;
}

/** The heads in order; those without the number come last, ties stand by layer and head. */
export function sorted(
  heads: readonly Head[],
  { by, descending }: Order,
  same: (number | null)[][] | null,
): Head[] {
  const sign = descending ? -1 : 1;
  const place = (a: Head, b: Head): number => a.layer - b.layer || a.head - b.head;
  if (by === PLACE) return [...heads].sort((a, b) => sign * place(a, b));
  const value = (head: Head): number | null =>
    by === CONSTANCY ? (same?.[head.layer]?.[head.head] ?? null) : (head.values[by] ?? null);
  return [...heads].sort((a, b) => {
    const [one, two] = [value(a), value(b)];
    if (one === null || two === null) {
      return one === two ? place(a, b) : one === null ? 1 : -1;
    }
    return sign * (one - two) || place(a, b);
  });
}

/** A click on a column's head: the other way round if it is sorted by, else largest first. */
export function turned(order: Order, by: string): Order {
  if (order.by === by) return { by, descending: !order.descending };
  return { by, descending: by !== PLACE };
}

/** Where on the colour scale a measure's 0 and 1 are: its own ends, or the largest there is. */
export function ends(measure: MeasureDescription, heads: readonly Head[]): [number, number] {
  if (measure.high !== null) return [measure.low, measure.high];
  const largest = Math.max(0, ...heads.map((head) => head.values[measure.name] ?? 0));
  return [measure.low, largest || 1];
}

export type Group = "position" | "repetition" | "idle" | "wide" | "other";

const GROUPS: Record<string, Group> = {
  previous: "position",
  next: "position",
  same: "position",
  near: "position",
  first: "position",
  induction: "repetition",
  duplicate: "repetition",
  idle: "idle",
  even: "wide",
};

/** How many heads there are of each kind of role. */
export function groups(heads: readonly Head[]): Record<Group, number> {
  const counts: Record<Group, number> = { position: 0, repetition: 0, idle: 0, wide: 0, other: 0 };
  for (const head of heads) counts[GROUPS[head.role] ?? "other"] += 1;
  return counts;
}
