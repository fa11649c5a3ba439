import { describe, expect, it } from "vitest";

import { roundStep, ruler } from "../../../../src/trace/map/long/rulers";

describe("rulers", () => {
  it("step by round numbers", () => {
    expect([0.3, 1, 1.1, 2, 3, 7, 12, 999, 1000, 3724].map(roundStep)).toEqual([
      1, 1, 2, 2, 5, 10, 20, 1000, 1000, 5000,
    ]);
  });

  it("name every token where there is room", () => {
    const { positions, step } = ruler(3.5, 100, 25, 1000, 17);
    expect(step).toBe(1);
    expect(positions).toEqual([3, 4, 5, 6, 7]);
  });

  it("leave room for every label at any zoom", () => {
    for (const scale of [0.0046, 0.03, 0.4, 1.7, 9, 44]) {
      const { positions } = ruler(777.7, 600, scale, 131072, 17);
      expect(positions.length).toBeGreaterThan(0);
      expect(positions.length).toBeLessThan(37);
      positions.slice(1).forEach((at, index) => {
        expect((at - (positions[index] as number)) * scale).toBeGreaterThanOrEqual(17 - 1e-9);
      });
    }
  });

  it("name those that matter, and nothing that they would cover", () => {
    const { positions } = ruler(0, 600, 1, 131072, 17, [41, 9999]);
    expect(positions).toContain(41);
    expect(positions).not.toContain(40);
    expect(positions).not.toContain(9999);
  });
});
