// Words that these views share: a level's name, a word of the vocabulary.
import type { Reader } from "../../messages/reader.svelte";

const LAYER = /layers\.(\d+)\./;

/** "Input" for `embed`, "Layer 3" for `layers.3.residual.post`. */
export function levelName({ say }: Reader, address: string): string {
  const layer = LAYER.exec(address)?.[1];
  return layer === undefined ? say("studio.level_input") : `${say("studio.layer")} ${layer}`;
}

/** The same in a character or two, for a picture: ∅ for the input, else the layer's number. */
export function levelMark(address: string): string {
  return LAYER.exec(address)?.[1] ?? "∅";
}

/** A word of the vocabulary so that it is seen: spaces before it do not count, none is empty. */
export function shownWord(text: string): string {
  const seen = text.trim();
  if (seen !== "") return seen;
  return text.includes("\n") ? "↵" : "␣";
}
