// Where a map has one value, such as one half, where a decision is open: a line between cells.
type Point = readonly [x: number, y: number];
type Edge = readonly [x1: number, y1: number, x2: number, y2: number];

/** The pieces of that line, in cells from the lower left corner. Each piece crosses a triangle of
 * neighbouring cells' middles (and, at the map's rim, of its edge), straight from side to side. */
export function boundary(cells: readonly (readonly number[])[], level = 0.5): Edge[] {
  const rows = cells.length;
  const columns = cells[0]?.length ?? 0;
  const at = (index: number, count: number): number => Math.min(count - 1, Math.max(0, index));
  const place = (index: number, count: number): number => Math.min(count, Math.max(0, index + 0.5));
  const value = (row: number, column: number): number =>
    (cells[at(row, rows)]?.[at(column, columns)] ?? level) - level;
  const found: Edge[] = [];
  for (let row = -1; row < rows; row += 1) {
    for (let column = -1; column < columns; column += 1) {
      const corner = (up: number, right: number): readonly [number, number, number] => [
        place(column + right, columns),
        place(row + up, rows),
        value(row + up, column + right),
      ];
      const [low, high] = [corner(0, 0), corner(1, 1)];
      for (const third of [corner(0, 1), corner(1, 0)]) {
        const sides = [[low, third], [third, high], [high, low]] as const;
        const crossed = sides.flatMap(([one, other]) => crossing(one, other));
        const [from, to] = crossed;
        if (from && to) found.push([...from, ...to]);
      }
    }
  }
  return found;
}

type Corner = readonly [x: number, y: number, value: number];

/** Where the value passes zero between two corners, if it does. */
function crossing(one: Corner, other: Corner): Point[] {
  if (one[2] >= 0 === other[2] >= 0) return [];
  const share = one[2] / (one[2] - other[2]);
  return [[one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])]];
}
