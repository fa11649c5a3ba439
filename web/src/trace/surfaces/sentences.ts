// Sentences about two tokens, whatever they are parts of.
import type { Piece } from "../../messages/fill";
import type { Reader } from "../../messages/reader.svelte";
import type { Shown } from "../shown";
import { kindOf, kindShown, SURFACES } from "./kinds";

/** The names of a token that attends and of one attended to, as a sentence says them. */
export function namesOf(
  { trace, part, queries, keys }: Shown,
  query: number,
  key: number,
  reader: Reader,
): { source: string; key: string } | null {
  const [from, to] = [queries[query], keys[key]];
  if (!from || !to) return null;
  return {
    source: SURFACES[kindOf(trace, part.queries)].nameOf(from, reader),
    key: SURFACES[kindOf(trace, part.keys)].nameOf(to, reader),
  };
}

/** "row 3, column 5 attends most to row 2, column 4: 0.12", in pieces. */
export function attendsMost(
  shown: Shown,
  query: number,
  key: number,
  weight: number,
  reader: Reader,
): Piece[] | null {
  const names = namesOf(shown, query, key, reader);
  const message = kindShown(shown) === "text" ? "studio.looks_most" : "studio.picture_attends_most";
  return names && reader.sayInPieces(message, { ...names, weight: reader.number(weight, 2) });
}
