// Tokens by name, where what they add to the text does not say it.
import type { Piece, Vocabulary } from "./types";

export interface Part {
  kind: "text" | "sign" | "called";
  text: string;
}

/** A token in parts: signs for what does not show, its name where it is bytes or special. */
export function parts(token: Piece): Part[] {
  if (token.name !== null && token.piece === "") return [{ kind: "called", text: called(token.name) }];
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

/** A token as the vocabulary has it, until its place in a text says what it adds. */
export function pieceOf(names: Vocabulary | null, id: number): Piece {
  const part = names?.parts[String(id)] ?? null;
  const special = names?.special.includes(id) ?? false;
  const text = names?.texts[id] ?? "";
  return { id, piece: part !== null || special ? "" : text, name: special ? text : part };
}

/** The name of a token that is no text: "<s>" as it is, bytes in brackets. */
export function called(name: string): string {
  return /^[<[].*[>\]]$/.test(name) ? name : `⟨${name}⟩`;
}

/** The same in one string, without the space before a word: what a sentence calls the token. */
export function nameOf(token: Piece): string {
  const text = token.piece.trim();
  if (text !== "") return text;
  return parts(token)
    .map((part) => part.text)
    .join("");
}
