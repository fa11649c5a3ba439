import type { Reader } from "../../messages/reader.svelte";

/** A change of probability with its sign, in percentage points: "+3.1". */
export function points({ language }: Reader, change: number): string {
  return new Intl.NumberFormat(language, {
    signDisplay: "exceptZero",
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
    .format(100 * change)
    .replace("-", "−");
}
