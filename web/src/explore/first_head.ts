// Which head a newcomer sees first: the one whose words, and the source token above all, look most
// firmly at words that are not their neighbours, and not at one that all of them look at. Heads that
// only look one step aside, or park on [SEP] or the full stop, say less at first sight.
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
export function firstHead(maps: HeadMaps, tokens: readonly Token[], source: number): Head {
  const numHeads = maps.scale[0]?.length ?? 0;
  let found: Head = { layer: Math.floor(maps.scale.length / 2), head: 0 };
  if (maps.aggregated) return found;
  const words = tokens.flatMap((token, index) => (token.special ? [] : [index]));
  let best = 0;
  maps.scale.forEach((greatest, layer) => {
    greatest.forEach((weight, head) => {
      const first = (layer * numHeads + head) * maps.side * maps.side;
      const map = maps.values.subarray(first, first + maps.side * maps.side);
      const shared = columnMeans(map, maps.side, words);
      const look = (query: number) => furthest(map, maps.side, words, shared, query);
      const looks = words.map(look);
      const mean = looks.reduce((sum, each) => sum + each, 0) / looks.length;
      const firmness = weight * weight * mean * look(source);
      if (firmness > best) {
        best = firmness;
        found = { layer, head };
      }
    });
  });
  return found;
}

/** What each key gets from the words on average, 0 to 255. */
function columnMeans(map: Uint8Array, side: number, words: number[]): number[] {
  return Array.from({ length: side }, (_, key) => {
    const sum = words.reduce((total, query) => total + (map[query * side + key] ?? 0), 0);
    return sum / Math.max(1, words.length);
  });
}

/** How much more than the others, 0 to 1, `query` gives at most to a word two or more places away. */
function furthest(
  map: Uint8Array,
  side: number,
  words: number[],
  shared: number[],
  query: number,
): number {
  let most = 0;
  for (const key of words) {
    if (Math.abs(query - key) > 1) {
      most = Math.max(most, (map[query * side + key] ?? 0) - (shared[key] ?? 0));
    }
  }
  return most / 255;
}
