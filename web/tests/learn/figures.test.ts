// What the pictures of lessons are made of: the line of a decision map, and the tables.
import { describe, expect, it } from "vitest";

import { boundary } from "../../src/learn/figure/regions";
import { tableOf } from "../../src/learn/figure/table";

describe("the line of a decision map", () => {
  it("lies where the value between cells is one half, up to the map's rim", () => {
    const cells = [
      [0, 0.25, 0.75, 1],
      [0, 0.25, 0.75, 1],
    ];
    const edges = boundary(cells);
    expect(edges.length).toBeGreaterThan(0);
    for (const [x1, , x2] of edges) expect([x1, x2]).toEqual([2, 2]);
    const heights = edges.flatMap(([, y1, , y2]) => [y1, y2]);
    expect([Math.min(...heights), Math.max(...heights)]).toEqual([0, 2]);
  });

  it("is straight where the boundary is", () => {
    const cells = Array.from({ length: 8 }, (_, y) =>
      Array.from({ length: 8 }, (_, x) => 0.5 + (x + 0.5 + 2 * (y + 0.5) - 11) / 40),
    );
    const inside = boundary(cells).filter((edge) => edge.every((each) => each >= 0.5 && each <= 7.5));
    expect(inside.length).toBeGreaterThan(4);
    for (const [x1, y1, x2, y2] of inside) {
      expect(x1 + 2 * y1).toBeCloseTo(11, 6);
      expect(x2 + 2 * y2).toBeCloseTo(11, 6);
    }
  });

  it("is nowhere if nothing is decided", () => {
    expect(boundary([[0.5, 0.5], [0.5, 0.5]])).toEqual([]);
    expect(boundary([])).toEqual([]);
  });
});

describe("tables", () => {
  const word = (label: string): string => label;

  it("say what a decision map says of each example", () => {
    const table = tableOf(
      {
        kind: "regions",
        label: "map",
        x_label: "x",
        y_label: "y",
        x_range: [0, 2],
        y_range: [0, 1],
        cells: [[0.1, 0.9]],
        groups: ["no", "yes"],
        dots: [
          { x: 0.2, y: 0.5, group: 0, label: "" },
          { x: 2, y: 1, group: 1, label: "" },
        ],
        points: [],
        levels: [0.5],
        curves: [],
      },
      word,
      String,
    );
    expect(table).toEqual({
      head: ["x", "y", "", "map"],
      rows: [
        ["0.2", "0.5", "no", "0.1"],
        ["2", "1", "yes", "0.9"],
      ],
    });
  });

  it("follow a way across a landscape", () => {
    const curve = { label: "step", x: [3, 2, 1], y: [0, 1, 2], dashed: false };
    const table = tableOf(
      {
        kind: "regions",
        label: "map",
        x_label: "x",
        y_label: "y",
        x_range: [0, 4],
        y_range: [0, 4],
        cells: [[0.5]],
        levels: [0.2, 0.8],
        groups: [],
        dots: [],
        curves: [curve],
        points: [],
      },
      word,
      String,
    );
    expect(table).toEqual({ head: ["step", "x", "y"], rows: [["0", "3", "0"], ["1", "2", "1"], ["2", "1", "2"]] });
  });

  it("name the nodes and the arrows of a graph", () => {
    const node = { column: 0, row: 0, marked: false };
    const table = tableOf(
      {
        kind: "graph",
        label: "graph",
        value_label: "value",
        slope_label: "slope",
        number_label: "local",
        nodes: [
          { ...node, name: "a", label: "A", value: 2, slope: null },
          { ...node, name: "b", label: "B", value: 3, slope: 1 },
        ],
        arrows: [{ start: "a", end: "b", number: 4 }],
      },
      word,
      String,
    );
    expect(table?.rows).toEqual([
      ["A", "2", "—", ""],
      ["B", "3", "1", ""],
      ["A → B", "", "", "4"],
    ]);
  });
});
