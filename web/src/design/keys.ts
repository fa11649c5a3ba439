// Keys that move along a row of choices, the same everywhere.

/** The position that a key moves to from `from` among `count`; null for any other key. */
export function moved(event: KeyboardEvent, from: number, count: number): number | null {
  if (event.altKey || event.ctrlKey || event.metaKey || count === 0) return null;
  const to: Record<string, number> = {
    ArrowLeft: from - 1,
    ArrowUp: from - 1,
    ArrowRight: from + 1,
    ArrowDown: from + 1,
    PageUp: from - 10,
    PageDown: from + 10,
    Home: 0,
    End: count - 1,
  };
  const next = to[event.key];
  return next === undefined ? null : Math.min(count - 1, Math.max(0, next));
}

export interface Spot {
  row: number;
  column: number;
}

/** The same in two directions. `up` says whether ArrowUp counts rows up or down. */
export function movedInGrid(
  event: KeyboardEvent,
  from: Spot,
  rows: number,
  columns: number,
  up: 1 | -1,
): Spot | null {
  if (event.altKey || event.metaKey) return null;
  const { row, column } = from;
  const top = up === 1 ? rows - 1 : 0;
  const to: Record<string, Spot> = {
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    ArrowUp: { row: row + up, column },
    ArrowDown: { row: row - up, column },
    Home: { row: event.ctrlKey ? top : row, column: 0 },
    End: { row: event.ctrlKey ? rows - 1 - top : row, column: columns - 1 },
    PageUp: { row: top, column },
    PageDown: { row: rows - 1 - top, column },
  };
  const next = to[event.key];
  if (!next) return null;
  return {
    row: Math.min(rows - 1, Math.max(0, next.row)),
    column: Math.min(columns - 1, Math.max(0, next.column)),
  };
}
