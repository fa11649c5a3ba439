import { describe, expect, it } from "vitest";

import {
  above,
  centred,
  CLOSEST,
  fitting,
  inside,
  inSight,
  isSeen,
  levelOf,
  showing,
  still,
  tokensOf,
  topLevel,
  whole,
  zoomed,
} from "../../../../src/trace/map/long/camera";

const stage = { size: 131072, width: 800, height: 600 };

describe("camera", () => {
  it("begins with the whole text", () => {
    expect(whole(stage)).toEqual({ row: 0, column: 0, scale: 600 / 131072 });
    expect(fitting(stage)).toBeCloseTo(0.00458, 5);
  });

  it("keeps what lies under the pointer there", () => {
    const near = zoomed({ row: 1000, column: 500, scale: 1 }, 4, 300, 200, stage);
    expect(near.scale).toBe(4);
    expect(near.row + 200 / near.scale).toBeCloseTo(1200);
    expect(near.column + 300 / near.scale).toBeCloseTo(800);
  });

  it("comes closer to the diagonal of a causal head where nobody points", () => {
    let camera = whole(stage);
    while (camera.scale < CLOSEST) {
      const { x, y } = still(camera, stage, true, null);
      camera = zoomed(camera, 2, x, y, stage);
      const column = camera.row + stage.height / 2 / camera.scale; // of the diagonal, half-way down
      expect(column).toBeGreaterThan(camera.column);
      expect(column).toBeLessThan(camera.column + stage.width / camera.scale);
    }
    const aside = { row: 10, column: 400, scale: 5 };
    expect(still(aside, stage, true, null)).toEqual({ x: 0, y: 300 });
    expect(still(aside, stage, false, null)).toEqual({ x: 400, y: 300 });
    expect(still(aside, stage, true, { row: 20, column: 420 })).toEqual({ x: 100, y: 50 });
  });

  it("stays inside the map, and no closer than a token can be read", () => {
    expect(zoomed(whole(stage), 1e9, 0, 0, stage).scale).toBe(CLOSEST);
    expect(zoomed({ row: 9, column: 9, scale: 1 }, 1e-9, 0, 0, stage)).toEqual(whole(stage));
    const far = inside({ row: 1e9, column: -5, scale: 2 }, stage);
    expect(far).toEqual({ row: 131072 - 300, column: 0, scale: 2 });
  });

  it("puts a cell in the middle", () => {
    const camera = centred(5000, 70, 20, stage);
    expect((5000.5 - camera.row) * 20).toBeCloseTo(300);
    expect((70.5 - camera.column) * 20).toBeCloseTo(400);
  });

  it("moves as little as brings a cell into sight", () => {
    const camera = { row: 100, column: 100, scale: 10 };
    expect(showing(camera, 120, 130, 1, stage)).toEqual(camera);
    expect(showing(camera, 160, 50, 1, stage)).toEqual({ row: 101, column: 50, scale: 10 });
  });
});

describe("levels", () => {
  it("are as fine as a pixel can show", () => {
    expect(levelOf(8, 131072)).toBe(0);
    expect(levelOf(1, 131072)).toBe(0);
    expect(levelOf(0.99, 131072)).toBe(1);
    expect(levelOf(0.25, 131072)).toBe(2);
    expect(levelOf(1e-9, 131072)).toBe(9);
  });

  it("end with one tile that holds all", () => {
    expect([256, 257, 512, 131072].map(topLevel)).toEqual([0, 1, 1, 9]);
    expect(tokensOf(9, 0, 131072)).toEqual([0, 131072]);
    expect(tokensOf(1, 1, 700)).toEqual([512, 700]);
  });
});

describe("tiles in sight", () => {
  it("cover the window, the middle first", () => {
    const places = inSight({ row: 250, column: 0, scale: 1 }, 0, { ...stage, width: 600 });
    expect(places).toHaveLength(4 * 3);
    expect(new Set(places.map(({ down, across }) => `${down}.${across}`)).size).toBe(12);
    expect(places[0]).toMatchObject({ across: 1 });
    const last = places.at(-1) as { down: number; across: number };
    expect([0, 3]).toContain(last.down);
    expect([0, 2]).toContain(last.across);
  });

  it("end with the text", () => {
    const small = { size: 300, width: 900, height: 900 };
    expect(inSight({ row: 0, column: 0, scale: 3 }, 0, small)).toHaveLength(4);
  });

  it("are known to be zero above a causal head's diagonal", () => {
    expect(isSeen({ level: 2, down: 0, across: 1 }, 5000, true)).toBe(false);
    expect(isSeen({ level: 2, down: 0, across: 1 }, 5000, false)).toBe(true);
    expect(isSeen({ level: 2, down: 1, across: 1 }, 5000, true)).toBe(true);
  });

  it("lie in one tile of each level above", () => {
    expect(above({ level: 1, down: 5, across: 2 }, 2)).toEqual({ level: 3, down: 1, across: 0 });
  });
});
