import { describe, expect, it } from "vitest";

import { ALL_ROWS, neighbour, nodesOf, rowsOf, waysThrough } from "../../../src/trace/explaining/graph";
import type { Graph, GraphEdge } from "../../../src/trace/explaining/types";

const edge = (layer: number, query: number, key: number): GraphEdge => {
  return { layer, query, key, weight: 0.5 };
};

// Token 2 at the top, two layers: 2 → {1, 2} → {0, 1} and {2}.
const edges = [edge(1, 2, 1), edge(1, 2, 2), edge(0, 1, 0), edge(0, 1, 1), edge(0, 2, 2)];
const graph: Graph = {
  kind: "rollout",
  token: 2,
  source: null,
  nodes: [[0, 0, 0], [0, 0, 0], [0, 0, 1]],
  edges,
  num_edges: edges.length,
  least: 0.01,
};

function named(found: Set<GraphEdge>): string[] {
  return [...found].map((each) => `${each.layer}:${each.query}>${each.key}`).sort();
}

function key(name: string): KeyboardEvent {
  return { key: name, altKey: false, ctrlKey: false, metaKey: false } as KeyboardEvent;
}

describe("rowsOf", () => {
  it("has all tokens of a short text, and of a long one those with an edge", () => {
    expect(rowsOf(graph, 5)).toEqual([0, 1, 2, 3, 4]);
    expect(rowsOf({ ...graph, source: 40 }, ALL_ROWS + 10)).toEqual([0, 1, 2, 40]);
  });
});

describe("waysThrough", () => {
  it("follows all ways down from the top", () => {
    expect(waysThrough(edges, { level: 2, token: 2 }).size).toBe(edges.length);
  });

  it("follows an input token up, and a token between in both directions", () => {
    expect(named(waysThrough(edges, { level: 0, token: 0 }))).toEqual(["0:1>0", "1:2>1"]);
    expect(named(waysThrough(edges, { level: 1, token: 1 }))).toEqual(["0:1>0", "0:1>1", "1:2>1"]);
    expect(named(waysThrough(edges, { level: 1, token: 2 }))).toEqual(["0:2>2", "1:2>2"]);
  });

  it("finds nothing where no edge leads", () => {
    expect(waysThrough(edges, { level: 1, token: 0 }).size).toBe(0);
  });
});

describe("neighbour", () => {
  const nodes = nodesOf(graph);

  it("knows every node that an edge touches", () => {
    expect([...nodes.keys()].sort()).toEqual(["0:0", "0:1", "0:2", "1:1", "1:2", "2:2"]);
  });

  it("goes right towards the input, left towards the top, up and down along a level", () => {
    const at = (level: number, token: number) => ({ level, token });
    expect(neighbour(key("ArrowRight"), at(2, 2), nodes.values())).toEqual(at(1, 2));
    expect(neighbour(key("ArrowLeft"), at(0, 0), nodes.values())).toEqual(at(1, 1));
    expect(neighbour(key("ArrowUp"), at(0, 2), nodes.values())).toEqual(at(0, 1));
    expect(neighbour(key("ArrowUp"), at(1, 1), nodes.values())).toEqual(at(1, 1));
    expect(neighbour(key("x"), at(1, 1), nodes.values())).toBeNull();
  });
});
