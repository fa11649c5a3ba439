// The part of a head's square map that is in sight, in tokens.

export interface Viewport {
  row: number;
  column: number;
  /** How many tokens a side. */
  span: number;
}

export const CLOSEST = 8;

export function entire(size: number): Viewport {
  return { row: 0, column: 0, span: size };
}

function inside(first: number, span: number, size: number): number {
  return Math.min(size - span, Math.max(0, Math.round(first)));
}

/** `span` tokens a side around a cell, within the map. */
export function around(row: number, column: number, span: number, size: number): Viewport {
  const kept = Math.round(Math.min(size, Math.max(Math.min(CLOSEST, size), span)));
  return {
    row: inside(row - kept / 2, kept, size),
    column: inside(column - kept / 2, kept, size),
    span: kept,
  };
}

/** The viewport moved as little as brings a cell into sight. */
export function showing(viewport: Viewport, row: number, column: number): Viewport {
  const { span } = viewport;
  const slide = (first: number, at: number): number =>
    at < first ? at : at >= first + span ? at - span + 1 : first;
  return { row: slide(viewport.row, row), column: slide(viewport.column, column), span };
}

/** Positions that have room for a label when one takes `needed` pixels and a token `cell`. */
export function labelled(first: number, span: number, cell: number, needed: number): number[] {
  const step = Math.max(1, Math.ceil(needed / cell));
  const positions: number[] = [];
  for (let at = Math.ceil(first / step) * step; at < first + span; at += step) positions.push(at);
  return positions;
}
