import { describe, expect, it } from "vitest";

import { cut, fitting, pointedAt, weightAt } from "../../../src/trace/map/cells";

const size = 5;
const matrix = Float32Array.from({ length: size * size }, (_, cell) => cell);

describe("cells", () => {
  it("are cut out of the whole head", () => {
    const cells = cut(matrix, size, { row: 1, column: 2, height: 3, width: 3 });
    expect([...cells.values]).toEqual([7, 8, 9, 12, 13, 14, 17, 18, 19]);
    for (let row = 1; row < 4; row += 1) {
      for (let column = 2; column < 5; column += 1) {
        expect(weightAt(cells, row, column)).toBe(row * size + column);
      }
    }
  });

  it("know nothing of what lies outside", () => {
    const cells = cut(matrix, size, { row: 1, column: 2, height: 3, width: 3 });
    expect(weightAt(cells, 0, 2)).toBeUndefined();
    expect(weightAt(cells, 1, 1)).toBeUndefined();
    expect(weightAt(cells, 4, 4)).toBeUndefined();
  });

  it("cover several tokens where they are means", () => {
    const means = {
      rows: [0, 4] as const,
      columns: [0, 4] as const,
      values: new Float32Array([1, 2, 3, 4]),
      height: 2,
      width: 2,
      aggregated: true,
    };
    expect(weightAt(means, 1, 2)).toBe(2);
    expect(weightAt(means, 3, 3)).toBe(4);
  });

  it.each([
    [100, 200, { row: 0, column: 0 }],
    [111, 219, { row: 1, column: 1 }],
    [999, 999, { row: 4, column: 6 }],
    [0, 0, { row: 0, column: 0 }],
  ])("are under the pointer at %i, %i, or the nearest", (clientY, clientX, spot) => {
    const box = { top: 100, left: 200, height: 50, width: 70 };
    const currentTarget = { getBoundingClientRect: () => box };
    const event = { clientX, clientY, currentTarget } as unknown as MouseEvent;
    expect(pointedAt(event, 5, 7)).toEqual(spot);
  });

  it("are squares of whole pixels where they are large, and never larger than asked", () => {
    const space = { height: 300, width: 500 };
    expect(fitting(space, { height: 13, width: 13 }, 52)).toEqual({ height: 23, width: 23 });
    expect(fitting(space, { height: 2, width: 2 }, 52)).toEqual({ height: 52, width: 52 });
    expect(fitting(space, { height: 8, width: 12 }, 52)).toEqual({ height: 37, width: 37 });
    expect(fitting(space, { height: 200, width: 200 }, 52)).toEqual({ height: 1.5, width: 1.5 });
  });

  it("of texts of very unlike lengths are no squares, so that both can be seen", () => {
    const space = { height: 300, width: 500 };
    expect(fitting(space, { height: 8, width: 625 }, 52)).toEqual({ height: 20, width: 0.8 });
    expect(fitting(space, { height: 600, width: 10 }, 52)).toEqual({ height: 0.5, width: 20 });
  });
});
