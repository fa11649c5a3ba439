import { reader } from "../../messages/catalogue.svelte";

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
