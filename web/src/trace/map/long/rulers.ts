// Which tokens stand on a ruler: every one where there is room, else those at round positions.

/** 1, 2, 5, 10, 20, 50 …: the first that is at least `least`. */
export function roundStep(least: number): number {
  if (least <= 1) return 1;
  const ten = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((times) => times * ten >= least * (1 - 1e-9)) ?? 10) * ten;
}

export interface Ruler {
  positions: number[];
  /** Tokens from one position to the next. */
  step: number;
}

/**
 * The positions that get a label along `pixels` of which a token takes `scale`, when a label needs
 * `needed`; `kept` get one in any case, and push away those that they would cover.
 */
export function ruler(
  first: number,
  pixels: number,
  scale: number,
  size: number,
  needed: number,
  kept: readonly number[] = [],
): Ruler {
  const step = roundStep(needed / scale);
  const last = Math.min(size - 1, Math.ceil(first + pixels / scale) - 1);
  const start = Math.floor(first);
  const shown = kept.filter((at) => at >= start && at <= last);
  const positions = [...new Set(shown)];
  for (let at = Math.ceil(start / step) * step; at <= last; at += step) {
    if (shown.every((other) => Math.abs(other - at) * scale >= needed)) positions.push(at);
  }
  return { positions: positions.sort((a, b) => a - b), step };
}
