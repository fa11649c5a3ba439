// Where a decision map is undecided: the sides of cells at which it crosses one half.
type Edge = readonly [x1: number, y1: number, x2: number, y2: number];

/** Edges between cells on different sides of one half, in cells from the lower left corner. */
export function boundary(cells: readonly (readonly number[])[]): Edge[] {
  const found: Edge[] = [];
  cells.forEach((row, y) =>
    row.forEach((cell, x) => {
      const [right, above] = [row[x + 1], cells[y + 1]?.[x]];
      if (right !== undefined && cell >= 0.5 !== right >= 0.5) found.push([x + 1, y, x + 1, y + 1]);
      if (above !== undefined && cell >= 0.5 !== above >= 0.5) found.push([x, y + 1, x + 1, y + 1]);
    }),
  );
  return found;
}
