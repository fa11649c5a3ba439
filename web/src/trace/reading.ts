// How the weights are read: what the reader chooses, its name in addresses, and what a picture says
// of it. The names are those of vitral.tracing.readings.reading, which defines each of them.
import type { Reader } from "../messages/reader.svelte";
import type { Trace } from "../protocol/types";

export interface Reading {
  /** False leaves out the tokens at which heads rest, and scales the others to one. */
  resting: boolean;
  /** Words in the place of their pieces. */
  words: boolean;
  /** Several heads of the layer together; null for the chosen one. */
  heads: readonly number[] | null;
  /** In the lines, each of them in its own colour; else their mean. */
  overlay: boolean;
}

export const PLAIN: Reading = { resting: true, words: false, heads: null, overlay: false };

/** More heads than this cannot be told apart by colour. */
export const MOST_OVERLAID = 8;

/** What the trace itself is read as: "no-rest~words"; "" for the weights as they are. */
export function nameOf({ resting, words }: Pick<Reading, "resting" | "words">): string {
  return [resting ? "" : "no-rest", words ? "words" : ""].filter(Boolean).join("~");
}

type Asked = Record<"reading" | "heads" | "overlay", string | null>;

/** What an address says. */
export function readReading(query: URLSearchParams): Reading {
  const said = (query.get("reading") ?? "").split("~");
  const named = /^\d{1,4}(\.\d{1,4})+$/.exec(query.get("heads") ?? "")?.[0].split(".").map(Number);
  const heads = named ? [...new Set(named)].sort((a, b) => a - b) : null;
  return {
    resting: !said.includes("no-rest"),
    words: said.includes("words"),
    heads: heads && heads.length > 1 ? heads : null,
    overlay: query.get("overlay") === "1",
  };
}

/** What an address is to say; null for what it need not. */
export function writeReading(reading: Reading): Asked {
  const { heads, overlay } = reading;
  return {
    reading: nameOf(reading) || null,
    heads: heads?.join(".") ?? null,
    overlay: overlay ? "1" : null,
  };
}

/** What a picture says of how its weights are read, in the order in which it is done; "" of plain
 * ones. A trace may have been read before it came here. */
export function saidOf(
  trace: Trace,
  heads: readonly number[] | null,
  { say }: Reader,
  overlaid = false,
): string {
  const name = trace.reading ?? "";
  const before = /heads-([\d.]+)/.exec(name)?.[1]?.replaceAll(".", ", ");
  const together = heads?.join(", ") ?? before;
  return [
    /no-rest/.test(name) ? say("studio.reading_no_rest") : "",
    together === undefined
      ? ""
      : say(overlaid ? "studio.reading_overlaid" : "studio.reading_mean", { heads: together }),
    /words/.test(name) ? say("studio.reading_words") : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Is what this trace's id names a trace that is read in some way, and not the trace as it was made? */
export function isRead(id: string): boolean {
  return id.includes("~");
}
