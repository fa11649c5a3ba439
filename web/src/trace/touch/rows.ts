// Which tokens of a row have a slider: all of a short text; of a long one those that matter.
import { around, heaviest } from "../links";

/** As many sliders are looked through at a glance. */
export const FITS = 48;

/** The tokens that `source` may look at, in order; at most about `FITS`, unless `all`. */
export function slidersOf(
  row: Float32Array,
  source: number,
  causal: boolean,
  set: ReadonlyMap<number, number>,
  all: boolean,
): number[] {
  const last = causal ? source : row.length - 1;
  const everything = Array.from({ length: last + 1 }, (_, key) => key);
  if (all || everything.length <= FITS) return everything;
  const kept = new Set([...heaviest(row, FITS - 10), ...around(source, 4, last + 1), ...set.keys()]);
  return everything.filter((key) => kept.has(key));
}

/** The value that a key asks for, from `value`; null for any other key. */
export function nudged(key: string, shift: boolean, value: number): number | null {
  const step = shift ? 0.1 : 0.01;
  const to: Record<string, number> = {
    ArrowRight: value + step,
    ArrowUp: value + step,
    ArrowLeft: value - step,
    ArrowDown: value - step,
    PageUp: value + 0.1,
    PageDown: value - 0.1,
    Home: 0,
    End: 1,
  };
  const next = to[key];
  return next === undefined ? null : Math.min(1, Math.max(0, next));
}
