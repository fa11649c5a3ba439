// Colours that stand for things without an order, such as several heads: told apart by people who do
// not see all colours (Okabe & Ito 2008), a little lighter on a dark ground.
import type { Theme } from "./ramp";

const HUES: Record<Theme, readonly string[]> = {
  light: ["#0072b2", "#d55e00", "#009e73", "#a8478a", "#b07d00", "#2f9bd6", "#5c5c5c", "#8a8a00"],
  dark: ["#56b4e9", "#ff8a3d", "#2fc79b", "#e29ac4", "#f0b429", "#7f9cff", "#b8b8b8", "#f0e442"],
};

/** The colour of the thing at this place, of up to eight. */
export function hue(place: number, theme: Theme): string {
  const all = HUES[theme];
  return all[place % all.length] as string;
}
