// Which head a newcomer sees first: the one whose words look most firmly at words that are not
// their neighbours. Heads that only look one step aside, or park on [SEP], say less at first sight.
import type { Token } from "../protocol/types";

export interface HeadMaps {
  side: number;
  /** [layers × heads × side × side], 255 for the greatest weight of each head. */
  values: Uint8Array;
  /** That greatest weight, by layer and head. */
  scale: number[][];
  aggregated: boolean;
}

export interface Head {
  layer: number;
  head: number;
}

/** The head to begin with; the middle layer's first where the maps do not tell tokens apart. */
export function firstHead(maps: HeadMaps, tokens: readonly Token[]): Head {
  const numHeads = maps.scale[0]?.length ?? 0;
  let found: Head = { layer: Math.floor(maps.scale.length / 2), head: 0 };
  if (maps.aggregated) return found;
  const words = tokens.flatMap((token, index) => (token.special ? [] : [index]));
  let best = 0;
  maps.scale.forEach((greatest, layer) => {
    greatest.forEach((weight, head) => {
      const first = (layer * numHeads + head) * maps.side * maps.side;
      const firmness = weight * reach(maps.values.subarray(first), maps.side, words);
      if (firmness > best) {
        best = firmness;
        found = { layer, head };
      }
    });
  });
  return found;
}

/** The mean over words of the greatest value at a word two or more places away, 0 to 1. */
function reach(map: Uint8Array, side: number, words: number[]): number {
  let sum = 0;
  for (const query of words) {
    let most = 0;
    for (const key of words) {
      if (Math.abs(query - key) > 1) most = Math.max(most, map[query * side + key] ?? 0);
    }
    sum += most / 255;
  }
  return words.length > 0 ? sum / words.length : 0;
}
