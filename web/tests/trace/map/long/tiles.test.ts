import { beforeEach, describe, expect, it } from "vitest";

import type { ViewQuestion } from "../../../../src/protocol/client";
import type { Source } from "../../../../src/protocol/source";
import type { Token, Trace } from "../../../../src/protocol/types";
import { KEPT_TILES, Tiles } from "../../../../src/trace/map/long/tiles";

interface Asked extends ViewQuestion {
  aborted: boolean;
  answer: () => Promise<void>;
}

let asked: Asked[] = [];

/** Answers when the test says so, every cell with the question's first row. */
function getView(_: string, view: ViewQuestion, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cell = view.cell ?? 1;
    const [height, width] = [view.rows, view.columns].map((range) =>
      Math.ceil((range[1] - range[0]) / cell),
    ) as [number, number];
    const values = new Float32Array(height * width).fill(view.rows[0] + 0.5);
    const header = { dtype: "float32", shape: [height, width], aggregated: cell > 1 };
    const entry: Asked = {
      ...view,
      aborted: false,
      answer: async () => {
        resolve({ header, values });
        await new Promise((done) => setTimeout(done));
      },
    };
    signal.addEventListener("abort", () => {
      entry.aborted = true;
      reject(new DOMException("", "AbortError"));
    });
    asked.push(entry);
  });
}

const trace = { id: "t", tokens: new Array<Token>(5000) } as unknown as Trace;
const at = (level: number, down: number, across: number) => ({ level, down, across });

let problems: unknown[] = [];
let tiles: Tiles;

beforeEach(() => {
  asked = [];
  problems = [];
  tiles = new Tiles({ getView } as unknown as Source, trace, () => {}, (problem) => problems.push(problem));
  tiles.show({ layer: 1, head: 2, reduction: "mean" });
});

describe("tiles", () => {
  it("asks for the whole text first, then for what is in sight, two at a time", async () => {
    const places = Array.from({ length: 9 }, (_, index) => at(1, index, 0));
    tiles.want(places);
    expect(asked.map(({ rows, cell }) => [rows, cell])).toEqual([
      [[0, 5000], 32],
      [[0, 512], 2],
    ]);
    await asked[1]?.answer();
    expect(tiles.at(at(1, 0, 0))).toMatchObject({ height: 256, width: 256, rows: [0, 512] });
    expect(asked.map(({ rows }) => rows)).toEqual([[0, 5000], [0, 512], [512, 1024]]);
    expect(tiles.counts).toEqual({ kept: 1, asked: 2 });
  });

  it("cuts the last tile where the text ends", async () => {
    tiles.want([at(0, 19, 19)]);
    await asked[1]?.answer();
    expect(tiles.at(at(0, 19, 19))).toMatchObject({ rows: [4864, 5000], height: 136 });
  });

  it("aborts what is no longer in sight, and asks once for what still is", async () => {
    tiles.want([at(0, 0, 0), at(0, 1, 0)]);
    tiles.want([at(0, 1, 0), at(0, 2, 0)]);
    expect(asked.map((question) => question.aborted)).toEqual([false, true, false]);
    expect(asked.filter((question) => question.rows[0] === 256 && question.cell === 1)).toHaveLength(1);
    await new Promise((done) => setTimeout(done));
    expect(problems).toEqual([]);
  });

  it("another head aborts everything, and its tiles are others", async () => {
    tiles.want([at(0, 0, 0)]);
    await asked[1]?.answer();
    tiles.show({ layer: 1, head: 3, reduction: "mean" });
    expect(asked[0]?.aborted).toBe(true);
    expect(tiles.at(at(0, 0, 0))).toBeUndefined();
    tiles.show({ layer: 1, head: 2, reduction: "max" });
    expect(tiles.at(at(0, 0, 0))).toBeDefined(); // exact cells are the same
  });

  it("keeps so many, drops the one longest out of sight, never the whole text's", async () => {
    for (let down = 0; down < 19; down += 1) {
      for (let across = 0; across < 6; across += 1) {
        tiles.want([at(0, down, across)]);
        await asked.at(-1)?.answer();
        await asked[0]?.answer();
      }
    }
    expect(tiles.counts.kept).toBe(KEPT_TILES);
    expect(tiles.at(at(0, 18, 5))).toBeDefined();
    expect(tiles.at(at(5, 0, 0))).toBeDefined();
    expect(tiles.at(at(0, 0, 0))).toBeUndefined();
  });
});
