// Words that these views share: a level's name, a share in percent, a word of the vocabulary.
import { number, say } from "../messages/catalogue.svelte";

const LAYER = /layers\.(\d+)\./;

/** "Input" for `embed`, "Layer 3" for `layers.3.residual.post`. */
export function levelName(address: string): string {
  const layer = LAYER.exec(address)?.[1];
  return layer === undefined ? say("studio.level_input") : `${say("studio.layer")} ${layer}`;
}

/** The same in a character or two, for a picture: ∅ for the input, else the layer's number. */
export function levelMark(address: string): string {
  return LAYER.exec(address)?.[1] ?? "∅";
}

/** A share as people read it: 0.1234 is "12.3 %". */
export function percent(share: number, digits = 1): string {
  const shown = 100 * share;
  const least = 10 ** -digits;
  if (shown > 0 && shown < least / 2) return `<${number(least, digits)} %`;
  return `${number(shown, digits)} %`;
}

/** A word of the vocabulary so that it is seen: spaces before it do not count, none is empty. */
export function shownWord(text: string): string {
  const seen = text.trim();
  if (seen !== "") return seen;
  return text.includes("\n") ? "↵" : "␣";
}

/** A cosine with its own minus sign. */
export function cosine(value: number, digits = 2): string {
  return number(value, digits).replace("-", "−");
}
