// Which head a newcomer sees first: the one whose words, and the source token above all, look most
// firmly at words that are not their neighbours, and not at one that all of them look at. Heads that
// only look one step aside, or park on [SEP] or the full stop, say less at first sight; so do those
// that rest, or write next to nothing (`writes`, by layer and head, where that is known).
import type { Token } from "../protocol/types";

export interface HeadMaps {
  /** Rows and columns of each map. */
  height: number;
  width: number;
  /** [layers × heads × height × width], 255 for the greatest weight of each head. */
  values: Uint8Array;
  /** That greatest weight, by layer and head. */
  scale: number[][];
  aggregated: boolean;
}

/** How much each head writes beside the one of its layer that writes most; null where unknown. */
export type Writes = readonly (readonly (number | null)[])[] | null;

export interface Head {
  layer: number;
  head: number;
}

/**
 * The head to begin with; the middle layer's first where none stands out. `keys` are the tokens
 * looked at: by default those that look, and then neighbours do not count. Of a text whose maps
 * are pooled, cells stand for tokens.
 */
export function firstHead(
  maps: HeadMaps,
  tokens: readonly Token[],
  source: number,
  keys: readonly Token[] = tokens,
  { causal = false, writes = null }: { causal?: boolean; writes?: Writes } = {},
): Head {
  const numHeads = maps.scale[0]?.length ?? 0;
  let found: Head = { layer: Math.floor(maps.scale.length / 2), head: 0 };
  const { aggregated, height, width } = maps;
  const words = aggregated ? range(height) : places(tokens);
  // A decoder's heads rest on the first token: that is no word looked at.
  const seen = (aggregated ? range(width) : places(keys)).filter((key) => !causal || key > 0);
  const from = aggregated ? Math.ceil(((source + 1) * height) / tokens.length) - 1 : source;
  const nearest = keys === tokens ? 2 : 0;
  let best = 0;
  maps.scale.forEach((greatest, layer) => {
    greatest.forEach((weight, head) => {
      const size = height * width;
      const map = maps.values.subarray((layer * numHeads + head) * size).subarray(0, size);
      const shared = columnMeans(map, width, words);
      const look = (query: number): number =>
        furthest(map.subarray(query * width), seen, shared, query, nearest);
      const looks = words.map(look);
      const mean = looks.reduce((sum, each) => sum + each, 0) / looks.length;
      const written = writes?.[layer]?.[head] ?? 1;
      const firmness = weight * weight * mean * look(from) * written;
      if (firmness > best) {
        best = firmness;
        found = { layer, head };
      }
    });
  });
  return found;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, place) => place);
}

/** The positions of words. */
function places(tokens: readonly Token[]): number[] {
  return tokens.flatMap((token, index) => (token.special ? [] : [index]));
}

/** What each key gets from the words on average, 0 to 255. */
function columnMeans(map: Uint8Array, width: number, words: number[]): number[] {
  return Array.from({ length: width }, (_, key) => {
    const sum = words.reduce((total, query) => total + (map[query * width + key] ?? 0), 0);
    return sum / Math.max(1, words.length);
  });
}

/** How much more than the others, 0 to 1, `query` gives at most to a word `nearest` or more away. */
function furthest(
  row: Uint8Array,
  words: number[],
  shared: number[],
  query: number,
  nearest: number,
): number {
  let most = 0;
  for (const key of words) {
    if (Math.abs(query - key) >= nearest) {
      most = Math.max(most, (row[key] ?? 0) - (shared[key] ?? 0));
    }
  }
  return most / 255;
}
