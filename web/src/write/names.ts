// Tokens by name, where what they add to the text does not say it.
import type { Piece } from "./types";

export interface Part {
  kind: "text" | "sign" | "called";
  text: string;
}

/** A token in parts: signs for what does not show, its name where it is bytes or special. */
export function parts(token: Piece): Part[] {
  if (token.name !== null && token.piece === "") return [{ kind: "called", text: `⟨${token.name}⟩` }];
  if (token.piece === "") return [{ kind: "sign", text: "∅" }];
  return token.piece
    .split(/(\n|\t|^ | $|(?<= ) )/)
    .filter((part) => part !== "")
    .map((part) =>
      part === " "
        ? { kind: "sign", text: "·" }
        : part === "\n"
          ? { kind: "sign", text: "↵" }
          : part === "\t"
            ? { kind: "sign", text: "⇥" }
            : { kind: "text", text: part },
    );
}

/** The same in one string, without the space before a word: what a sentence calls the token. */
export function nameOf(token: Piece): string {
  const text = token.piece.trim();
  if (text !== "") return text;
  return parts(token)
    .map((part) => part.text)
    .join("");
}
