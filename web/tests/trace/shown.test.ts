import { afterEach, describe, expect, it, vi } from "vitest";

import type { ViewQuestion } from "../../src/protocol/client";
import type { Source } from "../../src/protocol/source";
import { Patterns } from "../../src/trace/patterns";
import { fetchShown, type Shown } from "../../src/trace/shown";
import { partNamed, tokensOf, traceOf } from "./traced";

/** Each token looks at the one before it, and a little at the first. */
function weight(query: number, key: number): number {
  return key === query - 1 ? 0.75 : key === 0 ? 0.25 : 0;
}

const getView = vi.fn((_trace: string, { rows, columns }: ViewQuestion) => {
  const [height, width] = [rows[1] - rows[0], columns[1] - columns[0]];
  const values = Float32Array.from({ length: height * width }, (_, cell) =>
    weight(rows[0] + Math.floor(cell / width), columns[0] + (cell % width)),
  );
  const header = { dtype: "float32" as const, shape: [height, width], aggregated: false };
  return Promise.resolve({ header, values });
});
const getStrongest = vi.fn(() => {
  const weights = [
    { query: 9, key: 8, weight: 0.75 },
    { query: 9, key: 1, weight: 0.25 },
  ];
  return Promise.resolve({ layer: 1, head: 2, weights });
});

function show(size: number, token: number | null, source: Partial<Source> = {}): Promise<Shown> {
  const tokens = tokensOf(Array.from({ length: size }, () => " a").join("|"));
  const patterns = new Patterns({ getView, ...source } as Partial<Source> as Source, traceOf(tokens), partNamed(""));
  return fetchShown(
    patterns,
    { layer: 1, head: 2, token, heads: null },
    false,
    new AbortController().signal,
  );
}

afterEach(() => vi.clearAllMocks());

describe("what is shown", () => {
  it("of a short text is every weight, and the source token's among them", async () => {
    const shown = await show(10, 7);
    expect(shown).toMatchObject({ layer: 1, head: 2, token: 7, links: null });
    expect(shown.matrix).toHaveLength(100);
    expect([...(shown.row ?? [])]).toEqual([0.25, 0, 0, 0, 0, 0, 0.75, 0, 0, 0]);
    expect(shown.row?.buffer).toBe(shown.matrix?.buffer);
    expect(getView).toHaveBeenCalledTimes(1);
  });

  it("without a source token is the strongest links, the strongest last", async () => {
    const shown = await show(10, null);
    expect(shown.row).toBeNull();
    expect(shown.links).toHaveLength(9 + 9);
    expect(shown.links?.at(-1)?.weight).toBe(0.75);
    expect(shown.links?.[0]?.weight).toBe(0.25);
  });

  it("of a text of more than one block is gathered for its links", async () => {
    const shown = await show(300, null);
    expect(getView).toHaveBeenCalledTimes(4);
    expect(shown.matrix?.[299 * 300 + 298]).toBe(0.75);
    expect(shown.links?.filter((link) => link.weight === 0.75)).toHaveLength(299);
  });

  it("of such a text is no more than the source token's row", async () => {
    const shown = await show(300, 299);
    expect(shown.matrix).toBeNull();
    expect(shown.row?.[298]).toBe(0.75);
    expect(getView.mock.calls.map(([, { rows }]) => rows)).toEqual([[299, 300]]);
  });

  it("of a long text is the links that Studio finds, where there is a Studio", async () => {
    const shown = await show(600, null, { getStrongest });
    expect(shown.matrix).toBeNull();
    expect(shown.links?.map((link) => link.weight)).toEqual([0.25, 0.75]);
    expect(getView).not.toHaveBeenCalled();
    expect((await show(600, null)).links).toBeNull();
  });
});
