// The places of the top-k dial: close together where k is small, and after the last one all.
export const TOP_KS = [
  1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000,
] as const;

/** The place nearest to a k that may be none of the dial's; the last one for all tokens. */
export function nearest(k: number | null): number {
  if (k === null) return TOP_KS.length;
  const above = TOP_KS.findIndex((value) => value >= k);
  return above < 0 ? TOP_KS.length - 1 : above;
}
