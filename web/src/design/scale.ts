// A chart's scale: from a value to a place in pixels and back, and the round values to mark on it.
import { nice, ticks } from "d3-array";

type Pair = readonly [number, number];

export interface Scale {
  place: (value: number) => number;
  value: (place: number) => number;
  /** About so many round values. */
  ticks: (count: number) => number[];
  /** The values from one end to the other. */
  ends: Pair;
}

/** From `values` to `places` in proportion; `rounded` widens the values to round ones. */
export function linear(values: Pair, places: Pair, rounded = false): Scale {
  const [low, high] = rounded ? nice(values[0], values[1], 10) : values;
  const [from, to] = places;
  const share = (to - from) / (high - low);
  return {
    place: (value) => from + (value - low) * share,
    value: (place) => low + (place - from) / share,
    ticks: (count) => ticks(low, high, count),
    ends: [low, high],
  };
}

/** The same in proportion to the logarithm, between powers of ten; marks stand at powers, or where
 * those are few at 1, 2 and 5 times each. */
export function logarithmic([low, high]: Pair, places: Pair): Scale {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const end = Math.max(last, first + 1);
  const powers = linear([first, end], places);
  return {
    // What is too small, or no power of ten at all, stands at the lower end.
    place: (value) => powers.place(Math.log10(Math.max(value, 10 ** first))),
    value: (place) => 10 ** powers.value(place),
    ticks: (count) => {
      const whole = powers.ticks(count).filter(Number.isInteger).map((power) => 10 ** power);
      if (whole.length >= count / 2) return whole;
      const each = whole.flatMap((power) => [1, 2, 5].map((times) => times * power));
      return each.filter((value) => value <= 10 ** end);
    },
    ends: [10 ** first, 10 ** end],
  };
}
