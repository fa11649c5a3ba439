import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { forgetTree, keepTree, keptTree } from "../../src/write/kept";
import { ROOT, Tree } from "../../src/write/tree";

const token = { id: 5, piece: "a", name: null };
const node = { token, way: "drawn", share: 0.5, logProbability: -1, rank: 2 } as const;

function storage(full = false): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    removeItem: (name) => void kept.delete(name),
    setItem: (name, value) => {
      if (full) throw new DOMException("full", "QuotaExceededError");
      kept.set(name, value);
    },
  };
}

beforeEach(() => vi.stubGlobal("sessionStorage", storage()));
afterEach(() => vi.unstubAllGlobals());

describe("a kept tree", () => {
  it("is the same tree, and grows on", () => {
    const tree = new Tree();
    const first = tree.add(ROOT, node).key;
    keepTree("m\nx", tree);
    const again = keptTree("m\nx");
    expect(again?.nodes).toEqual(tree.nodes);
    expect(again?.add(first, node).depth).toBe(2);
    expect(tree.nodes).toHaveLength(2);
  });

  it("belongs to one model and beginning", () => {
    keepTree("m\nx", new Tree());
    expect(keptTree("m\ny")).toBeNull();
    forgetTree();
    expect(keptTree("m\nx")).toBeNull();
  });

  it("may not be kept at all", () => {
    vi.stubGlobal("sessionStorage", storage(true));
    keepTree("m\nx", new Tree());
    expect(keptTree("m\nx")).toBeNull();
    vi.stubGlobal("sessionStorage", { ...storage(), getItem: () => "{" });
    expect(keptTree("m\nx")).toBeNull();
  });
});
