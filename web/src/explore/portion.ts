// A long list is shown in portions: as many entries as a page can bear, the rest a button away.

export interface Portion {
  first: number;
  /** One past the last. */
  end: number;
}

/** The portion of `most` entries that holds `position`; those of one list do not overlap. */
export function portionOf(position: number, count: number, most: number): Portion {
  const first = Math.floor(Math.min(count - 1, Math.max(0, position)) / most) * most;
  return { first: Math.max(0, first), end: Math.min(count, Math.max(0, first) + most) };
}
