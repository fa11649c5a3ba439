import { describe, expect, it } from "vitest";

import { lightness } from "../../src/design/colour";
import { ramp, type Theme } from "../../src/design/ramp";

const steps = Array.from({ length: 33 }, (_, step) => step / 32);

describe("the glass scale", () => {
  it.each<Theme>(["dark", "light"])("is even in lightness on %s ground", (theme) => {
    const seen = steps.map((value) => lightness(ramp("glass", theme).rgb(value)));
    const [first = 0, last = 0] = [seen[0], seen.at(-1)];
    const even = (last - first) / 32;
    seen.slice(1).forEach((value, index) => {
      // Every step goes the same way, and none is more than half as long again as the mean.
      const step = value - (seen[index] ?? 0);
      expect(step / even).toBeGreaterThan(0.5);
      expect(step / even).toBeLessThan(1.5);
    });
    expect(Math.abs(last - first)).toBeGreaterThan(0.6);
  });
});

describe("every scale", () => {
  it("clips what lies outside", () => {
    const colours = ramp("course", "light");
    expect(colours.rgb(-1)).toEqual(colours.rgb(0));
    expect(colours.rgb(2)).toEqual(colours.rgb(1));
  });

  it("goes from blue to red where the course's is asked for", () => {
    for (const theme of ["dark", "light"] as const) {
      const [red, , blue] = ramp("course", theme).rgb(0);
      expect(blue).toBeGreaterThan(red * 2);
      const [strongRed, , strongBlue] = ramp("course", theme).rgb(1);
      expect(strongRed).toBeGreaterThan(strongBlue * 2);
    }
  });

  it("brings weak weights forward when lifted, and leaves the ends", () => {
    const [plain, lifted] = [ramp("glass", "dark"), ramp("glass", "dark", true)];
    expect(lifted.rgb(0)).toEqual(plain.rgb(0));
    expect(lifted.rgb(1)).toEqual(plain.rgb(1));
    expect(lightness(lifted.rgb(0.1))).toBeGreaterThan(lightness(plain.rgb(0.25)));
  });
});
