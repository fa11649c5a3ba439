// Colour scales for weights, from 0 (no attention) to 1 (the strongest).
//
// "glass" is the default: lightness rises (on the dark ground) or falls (on paper) in equal
// steps, and the hue walks from indigo through blue and green to gold, the pairs that colour-blind
// readers keep apart; so the order of two weights is seen in grey as well. "course" is the
// blue-to-red scale of the course's notebook, for those who teach with it.
import { oklab, rgb, type Oklch, type Rgb } from "./colour";

export type Scale = "glass" | "course";
export type Theme = "dark" | "light";

export interface Stop extends Oklch {
  at: number;
}

const STOPS: Record<Scale, Record<Theme, readonly Stop[]>> = {
  glass: {
    dark: [
      { at: 0, l: 0.21, c: 0.025, h: 275 },
      { at: 0.25, l: 0.395, c: 0.125, h: 280 },
      { at: 0.5, l: 0.58, c: 0.12, h: 240 },
      { at: 0.75, l: 0.765, c: 0.115, h: 180 },
      { at: 1, l: 0.95, c: 0.125, h: 103 },
    ],
    light: [
      { at: 0, l: 0.965, c: 0.02, h: 100 },
      { at: 0.25, l: 0.8, c: 0.09, h: 165 },
      { at: 0.5, l: 0.635, c: 0.105, h: 220 },
      { at: 0.75, l: 0.47, c: 0.12, h: 262 },
      { at: 1, l: 0.305, c: 0.13, h: 288 },
    ],
  },
  course: {
    dark: [
      { at: 0, l: 0.4, c: 0.13, h: 262 },
      { at: 0.3, l: 0.6, c: 0.11, h: 255 },
      { at: 0.5, l: 0.8, c: 0.015, h: 60 },
      { at: 0.7, l: 0.7, c: 0.13, h: 40 },
      { at: 1, l: 0.58, c: 0.215, h: 27 },
    ],
    light: [
      { at: 0, l: 0.47, c: 0.14, h: 262 },
      { at: 0.3, l: 0.7, c: 0.09, h: 255 },
      { at: 0.5, l: 0.9, c: 0.012, h: 60 },
      { at: 0.7, l: 0.72, c: 0.12, h: 40 },
      { at: 1, l: 0.52, c: 0.2, h: 27 },
    ],
  },
};

export class Ramp {
  /** 256 colours, four bytes each (red, green, blue, alpha). */
  readonly bytes = new Uint8ClampedArray(256 * 4);

  constructor(stops: readonly Stop[], lifted: boolean) {
    for (let index = 0; index < 256; index += 1) {
      const value = index / 255;
      const [red, green, blue] = between(stops, lifted ? Math.sqrt(value) : value);
      this.bytes.set([red, green, blue, 255], index * 4);
    }
  }

  rgb(value: number): Rgb {
    const offset = this.index(value) * 4;
    return [this.bytes[offset] ?? 0, this.bytes[offset + 1] ?? 0, this.bytes[offset + 2] ?? 0];
  }

  css(value: number): string {
    return `rgb(${this.rgb(value).join(" ")})`;
  }

  index(value: number): number {
    return Math.round(Math.min(1, Math.max(0, value)) * 255);
  }
}

function between(stops: readonly Stop[], value: number): Rgb {
  const upper = stops.findIndex((stop) => stop.at >= value);
  const high = stops[Math.max(1, upper)] as Stop;
  const low = stops[Math.max(1, upper) - 1] as Stop;
  const share = (value - low.at) / (high.at - low.at);
  const [from, to] = [oklab(low), oklab(high)];
  const mix = (index: 0 | 1 | 2): number => from[index] + share * (to[index] - from[index]);
  return rgb([mix(0), mix(1), mix(2)]);
}

const made = new Map<string, Ramp>();

/** `lifted` brings weak weights forward: colours follow the square root of the weight. */
export function ramp(scale: Scale, theme: Theme, lifted = false): Ramp {
  const name = `${scale} ${theme} ${lifted}`;
  let found = made.get(name);
  if (!found) made.set(name, (found = new Ramp(STOPS[scale][theme], lifted)));
  return found;
}
