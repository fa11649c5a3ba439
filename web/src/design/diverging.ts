// The scale for differences, from −1 (the right side has more) over 0 to 1 (the left has more).
//
// Both arms leave the ground in equal steps of lightness, so that equal amounts of either sign are
// equally plain, in grey as well; blue and orange are the pair that all colour-blind readers tell
// apart.
import { Ramp, type Stop, type Theme } from "./ramp";

const STOPS: Record<Theme, readonly Stop[]> = {
  dark: [
    { at: 0, l: 0.82, c: 0.135, h: 62 },
    { at: 0.25, l: 0.525, c: 0.115, h: 50 },
    { at: 0.5, l: 0.23, c: 0.012, h: 275 },
    { at: 0.75, l: 0.525, c: 0.13, h: 255 },
    { at: 1, l: 0.82, c: 0.1, h: 238 },
  ],
  light: [
    { at: 0, l: 0.46, c: 0.125, h: 45 },
    { at: 0.25, l: 0.71, c: 0.13, h: 58 },
    { at: 0.5, l: 0.96, c: 0.01, h: 100 },
    { at: 0.75, l: 0.71, c: 0.105, h: 245 },
    { at: 1, l: 0.46, c: 0.15, h: 260 },
  ],
};

const made = new Map<Theme, Ramp>();

export function diverging(theme: Theme): Ramp {
  let found = made.get(theme);
  if (!found) made.set(theme, (found = new Ramp(STOPS[theme], false)));
  return found;
}

/** Where on the scale (0 to 1) a difference stands, when `ceiling` is the largest of either sign. */
export function placed(difference: number, ceiling: number): number {
  return ceiling > 0 ? 0.5 + difference / ceiling / 2 : 0.5;
}
