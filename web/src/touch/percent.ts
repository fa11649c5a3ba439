// Probabilities and shares as a reader sees them.
import { reader } from "../messages/catalogue.svelte";

/** 0.1234 as "12.3%", in the reader's language. */
export function percent(share: number): string {
  return new Intl.NumberFormat(reader.language, {
    style: "percent",
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  }).format(share);
}

/** A change of probability with its sign, in percentage points: "+3.1". */
export function points(change: number): string {
  return new Intl.NumberFormat(reader.language, {
    signDisplay: "exceptZero",
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
    .format(100 * change)
    .replace("-", "−");
}
