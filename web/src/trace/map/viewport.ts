// The part of a head's map that is in sight, in tokens.

export interface Size {
  height: number;
  width: number;
}

export interface Viewport extends Size {
  row: number;
  column: number;
}

export const CLOSEST = 8;

export function entire({ height, width }: Size): Viewport {
  return { row: 0, column: 0, height, width };
}

function inside(first: number, span: number, size: number): number {
  return Math.min(size - span, Math.max(0, Math.round(first)));
}

function kept(span: number, size: number): number {
  return Math.round(Math.min(size, Math.max(Math.min(CLOSEST, size), span)));
}

/** So many tokens each way around a cell, within the map. */
export function around(row: number, column: number, wanted: Size, map: Size): Viewport {
  const height = kept(wanted.height, map.height);
  const width = kept(wanted.width, map.width);
  return {
    row: inside(row - height / 2, height, map.height),
    column: inside(column - width / 2, width, map.width),
    height,
    width,
  };
}

/** The viewport moved as little as brings a cell into sight. */
export function showing(viewport: Viewport, row: number, column: number): Viewport {
  const slide = (first: number, span: number, at: number): number =>
    at < first ? at : at >= first + span ? at - span + 1 : first;
  return {
    ...viewport,
    row: slide(viewport.row, viewport.height, row),
    column: slide(viewport.column, viewport.width, column),
  };
}

/** Is all of the map in sight? */
export function isEntire(viewport: Size, map: Size): boolean {
  return viewport.height >= map.height && viewport.width >= map.width;
}

/** Positions that have room for a label when one takes `needed` pixels and a token `cell`. */
export function labelled(first: number, span: number, cell: number, needed: number): number[] {
  const step = Math.max(1, Math.ceil(needed / cell));
  const positions: number[] = [];
  for (let at = Math.ceil(first / step) * step; at < first + span; at += step) positions.push(at);
  return positions;
}
