// The models that write, by what Studio says of them.
import type { ModelCard } from "../protocol/types";

/** Is a model made to write: a text on, or an answer to one? */
export function writes(card: ModelCard): boolean {
  return card.kind === "decoder" || answers(card);
}

/** Does it read a text with one part and answer it with another? */
export function answers(card: ModelCard | null): boolean {
  return card?.kind === "encoder-decoder";
}
