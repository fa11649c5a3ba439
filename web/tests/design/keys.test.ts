import { describe, expect, it } from "vitest";

import { moved, movedInGrid } from "../../src/design/keys";

function key(name: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return { key: name, altKey: false, ctrlKey: false, metaKey: false, ...more } as KeyboardEvent;
}

describe("keys", () => {
  it("move along a row and stop at its ends", () => {
    expect(moved(key("ArrowRight"), 1, 3)).toBe(2);
    expect(moved(key("ArrowRight"), 2, 3)).toBe(2);
    expect(moved(key("ArrowLeft"), 0, 3)).toBe(0);
    expect(moved(key("End"), 0, 3)).toBe(2);
    expect(moved(key("a"), 0, 3)).toBeNull();
    expect(moved(key("ArrowRight", { ctrlKey: true }), 0, 3)).toBeNull();
    expect(moved(key("End"), 0, 0)).toBeNull();
  });

  it("go up to the next layer in the window, to the line above in the map", () => {
    const from = { row: 2, column: 3 };
    expect(movedInGrid(key("ArrowUp"), from, 6, 8, 1)).toEqual({ row: 3, column: 3 });
    expect(movedInGrid(key("ArrowUp"), from, 6, 8, -1)).toEqual({ row: 1, column: 3 });
    expect(movedInGrid(key("ArrowUp"), { row: 5, column: 3 }, 6, 8, 1)?.row).toBe(5);
    expect(movedInGrid(key("Home"), from, 6, 8, 1)).toEqual({ row: 2, column: 0 });
    expect(movedInGrid(key("Home", { ctrlKey: true }), from, 6, 8, 1)).toEqual({
      row: 5,
      column: 0,
    });
    expect(movedInGrid(key("Tab"), from, 6, 8, 1)).toBeNull();
  });
});
