// The kinds of surfaces, without what draws them: a line each. The last that holds tokens counts.
import type { Token, Trace } from "../../protocol/types";
import type { Shown } from "../shown";
import { firstSource, label } from "../words";
import { middlePatch, pictureOf, spokenName } from "./picture_tokens";
import type { Surface, TokenList } from "./surface";

export type Kind = "text" | "picture";

export const SURFACES: Record<Kind, Surface> = {
  text: { holds: () => true, nameOf: label, firstSource },
  picture: {
    holds: (trace, list) => (pictureOf(trace, list)?.rows ?? 0) > 0,
    nameOf: spokenName,
    firstSource: middlePatch,
  },
};

/** What a trace's list of tokens lies on. */
export function kindOf(trace: Trace, list: TokenList): Kind {
  const holds = (kind: Kind): boolean => SURFACES[kind].holds(trace, list);
  return (Object.keys(SURFACES) as Kind[]).findLast(holds) ?? "text";
}

/** What a part is drawn on: what its keys lie on where that is no text, else its queries. */
export function kindShown({ trace, part }: Pick<Shown, "trace" | "part">): Kind {
  const keys = kindOf(trace, part.keys);
  return keys === "text" ? kindOf(trace, part.queries) : keys;
}

/** The token of a trace that is looked at first, of those that attend. */
export function firstOf(trace: Trace, list: TokenList, tokens: readonly Token[]): number {
  return SURFACES[kindOf(trace, list)].firstSource(tokens);
}
