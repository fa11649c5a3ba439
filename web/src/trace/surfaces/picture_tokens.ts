// Tokens that are patches of a picture: which picture, what they are called, which comes first.
import type { Reader } from "../../messages/reader.svelte";
import type { PictureSurface, Token, Trace } from "../../protocol/types";
import { label } from "../words";
import type { TokenList } from "./surface";

/** The picture that a list of tokens lies on; null for a text. */
export function pictureOf(trace: Trace, list: TokenList): PictureSurface | null {
  const surface = list === "tokens" ? trace.surface : null;
  return surface?.kind === "picture" ? surface : null;
}

/** "row 3, column 5"; what is no patch goes by its own name. */
export function spokenName(token: Token, { say }: Reader): string {
  const { patch } = token;
  return patch ? say("studio.picture_patch", { row: patch.row, column: patch.column }) : label(token);
}

/** The patch in the middle: what a picture shows mostly stands there. */
export function middlePatch(tokens: readonly Token[]): number {
  const patches = tokens.flatMap(({ patch }, token) => (patch ? [{ patch, token }] : []));
  const last = patches.at(-1)?.patch;
  if (!last) return 0;
  const [row, column] = [Math.floor((last.row + 1) / 2), Math.floor((last.column + 1) / 2)];
  const middle = patches.find(({ patch }) => patch.row === row && patch.column === column);
  return middle?.token ?? 0;
}
