// A long list is shown page by page: as many entries as a browser can bear, the rest a button away.

export interface Page {
  first: number;
  /** One past the last. */
  end: number;
}

/** The page of `most` entries that holds `position`; those of one list do not overlap. */
export function pageOf(position: number, count: number, most: number): Page {
  const first = Math.floor(Math.min(count - 1, Math.max(0, position)) / most) * most;
  return { first: Math.max(0, first), end: Math.min(count, Math.max(0, first) + most) };
}
