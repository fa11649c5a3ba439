import { describe, expect, it } from "vitest";

import { lightness, type Rgb } from "../../src/design/colour";
import { diverging, placed } from "../../src/design/diverging";
import type { Theme } from "../../src/design/ramp";

const STEPS = 16;

function linear(byte: number): number {
  const coded = byte / 255;
  return coded <= 0.04045 ? coded / 12.92 : ((coded + 0.055) / 1.055) ** 2.4;
}

function coded(value: number): number {
  const inside = Math.min(1, Math.max(0, value));
  return 255 * (inside <= 0.0031308 ? 12.92 * inside : 1.055 * inside ** (1 / 2.4) - 0.055);
}

/** As people without one kind of cone see it: Machado, Oliveira & Fernandes (2009), severity 1. */
const BLIND = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
} as const;

function seenBy(kind: keyof typeof BLIND, colour: Rgb): Rgb {
  const light = colour.map(linear);
  const [red, green, blue] = BLIND[kind].map((row) =>
    coded(row.reduce((sum, factor, index) => sum + factor * (light[index] ?? 0), 0)),
  );
  return [red ?? 0, green ?? 0, blue ?? 0];
}

/** OKLab's blue–yellow axis: positive is yellow. */
function yellow(colour: Rgb): number {
  const [r, g, b] = colour.map(linear) as [number, number, number];
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return 0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short;
}

describe.each<Theme>(["dark", "light"])("the scale of differences on %s ground", (theme) => {
  const colours = diverging(theme);

  it.each([1, -1])("is even in lightness on each side (%i)", (sign) => {
    const seen = Array.from({ length: STEPS + 1 }, (_, step) =>
      lightness(colours.rgb(0.5 + (sign * step) / STEPS / 2)),
    );
    const even = ((seen.at(-1) ?? 0) - (seen[0] ?? 0)) / STEPS;
    expect(Math.abs(even * STEPS)).toBeGreaterThan(0.45);
    seen.slice(1).forEach((value, index) => {
      expect((value - (seen[index] ?? 0)) / even).toBeGreaterThan(0.5);
      expect((value - (seen[index] ?? 0)) / even).toBeLessThan(1.5);
    });
  });

  it("shows equal amounts of either sign equally strong", () => {
    for (let step = 1; step <= STEPS; step += 1) {
      const [more, less] = [1, -1].map((sign) => colours.rgb(0.5 + (sign * step) / STEPS / 2));
      expect(Math.abs(lightness(more as Rgb) - lightness(less as Rgb))).toBeLessThan(0.025);
    }
  });

  it("keeps the signs apart for colour-blind readers", () => {
    for (let step = 4; step <= STEPS; step += 1) {
      const [more, less] = [1, -1].map((sign) => colours.rgb(0.5 + (sign * step) / STEPS / 2));
      for (const kind of ["protanopia", "deuteranopia"] as const) {
        const [blue, orange] = [seenBy(kind, more as Rgb), seenBy(kind, less as Rgb)];
        expect(yellow(orange) - yellow(blue)).toBeGreaterThan(0.07);
        expect(yellow(orange)).toBeGreaterThan(0.01);
        expect(yellow(blue)).toBeLessThan(-0.01);
      }
    }
  });
});

describe("a difference", () => {
  it("stands where its sign and size say", () => {
    expect(placed(0, 0.4)).toBe(0.5);
    expect(placed(0.4, 0.4)).toBe(1);
    expect(placed(-0.1, 0.4)).toBe(0.375);
    expect(placed(0, 0)).toBe(0.5);
  });
});
