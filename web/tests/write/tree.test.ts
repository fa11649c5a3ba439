import { describe, expect, it } from "vitest";

import { meanLogProbability, ROOT, textOf, Tree, type NewNode } from "../../src/write/tree";

function token(id: number, logProbability: number | null = -1): NewNode {
  return {
    token: { id, piece: String.fromCharCode(96 + id), name: null },
    way: "drawn",
    share: 0.5,
    logProbability,
    rank: 1,
  };
}

/** abcd, then from b: e, then from the beginning: fg */
function grown(): { tree: Tree; keys: Record<string, number> } {
  const tree = new Tree();
  const keys: Record<string, number> = {};
  const write = (parent: number, letters: string): void => {
    for (const letter of letters) {
      parent = keys[letter] = tree.add(parent, token(letter.charCodeAt(0) - 96)).key;
    }
  };
  write(ROOT, "abcd");
  write(keys["b"] ?? 0, "e");
  write(ROOT, "fg");
  return { tree, keys };
}

describe("the tree", () => {
  it("keeps every branch", () => {
    const { tree, keys } = grown();
    expect(textOf(tree.path(keys["d"] ?? 0))).toBe("abcd");
    expect(textOf(tree.path(keys["e"] ?? 0))).toBe("abe");
    expect(textOf(tree.path(keys["g"] ?? 0))).toBe("fg");
    expect(tree.path(ROOT)).toEqual([]);
  });

  it("remembers which way was taken last", () => {
    const { tree, keys } = grown();
    expect(textOf(tree.rest(ROOT))).toBe("fg");
    expect(textOf(tree.rest(keys["b"] ?? 0))).toBe("e");
    tree.visit(keys["c"] ?? 0);
    expect(textOf(tree.rest(ROOT))).toBe("abcd");
  });

  it("goes the same way twice without growing", () => {
    const { tree, keys } = grown();
    const before = tree.nodes.length;
    expect(tree.add(keys["a"] ?? 0, token(2)).key).toBe(keys["b"]);
    expect(tree.nodes.length).toBe(before);
  });

  it("shows what a token adds once that is known, and leaves the rest as it was", () => {
    const { tree, keys } = grown();
    const key = keys["b"] ?? 0;
    const [before, path] = [tree.get(key), tree.path(keys["e"] ?? 0)];
    tree.tell(key, { ...before.token });
    expect(tree.get(key)).toBe(before);
    tree.tell(key, { ...before.token, piece: " b" });
    expect(tree.get(key)).toEqual({ ...before, token: { ...before.token, piece: " b" } });
    expect(tree.path(keys["e"] ?? 0)[1]).not.toBe(path[1]); // whoever shows it sees the change
    expect(textOf(tree.path(keys["e"] ?? 0))).toBe("a be");
    expect(textOf(tree.path(keys["d"] ?? 0))).toBe("a bcd");
  });

  it("is drawn with a line for each branch, forks after what they leave", () => {
    const { tree } = grown();
    const lanes = tree.lanes();
    expect(lanes.map((lane) => textOf(lane.nodes))).toEqual(["abcd", "e", "fg"]);
    expect(lanes.map((lane) => lane.from)).toEqual([null, 0, null]);
    expect(new Tree().lanes()).toEqual([]);
  });

  it("draws a long branch without going deep", () => {
    const tree = new Tree();
    let key = ROOT;
    for (let index = 0; index < 20_000; index += 1) key = tree.add(key, token(index % 26)).key;
    expect(tree.lanes()).toHaveLength(1);
    expect(tree.path(key)).toHaveLength(20_000);
  });
});

describe("the mean of the log-probabilities", () => {
  it("is not known where one is not", () => {
    const tree = new Tree();
    const first = tree.add(ROOT, token(1, -1)).key;
    const second = tree.add(first, token(2, -3)).key;
    const third = tree.add(second, token(3, null)).key;
    expect(meanLogProbability(tree.path(second))).toBe(-2);
    expect(meanLogProbability(tree.path(third))).toBeNull();
    expect(meanLogProbability([])).toBeNull();
  });
});
