import { describe, expect, it } from "vitest";

import { ONE_GESTURE, Past } from "../../../src/trace/touch/past";

function clocked(): { past: Past<string>; wait: (time: number) => void } {
  let moment = 0;
  const past = new Past<string>(() => moment);
  return { past, wait: (time) => (moment += time) };
}

describe("the past", () => {
  it("is gone back through and forth again", () => {
    const { past } = clocked();
    past.leave("a", null);
    past.leave("b", null);
    expect(past.undo("c")).toBe("b");
    expect(past.undo("b")).toBe("a");
    expect(past.canUndo).toBe(false);
    expect(past.undo("a")).toBe("a");
    expect(past.redo("a")).toBe("b");
    expect(past.redo("b")).toBe("c");
    expect(past.canRedo).toBe(false);
  });

  it("forgets the future when something else is done", () => {
    const { past } = clocked();
    past.leave("a", null);
    expect(past.undo("b")).toBe("a");
    past.leave("a", null);
    expect(past.canRedo).toBe(false);
  });

  it("takes a drag for one step, and two drags for two", () => {
    const { past, wait } = clocked();
    past.leave("a", "cell");
    wait(ONE_GESTURE - 1);
    past.leave("b", "cell");
    past.leave("c", "another cell");
    wait(ONE_GESTURE);
    past.leave("d", "another cell");
    expect(past.undo("e")).toBe("d");
    expect(past.undo("d")).toBe("c");
    expect(past.undo("c")).toBe("a");
    expect(past.canUndo).toBe(false);
  });
});
