// What draws each kind of surface: a line each.
import TextLines from "../lines/TextLines.svelte";
import TokenChips from "../TokenChips.svelte";
import type { Kind } from "./kinds";
import PictureLines from "./PictureLines.svelte";
import PictureTokens from "./PictureTokens.svelte";
import type { Drawing } from "./surface";

export const DRAWINGS: Record<Kind, Drawing> = {
  text: { Tokens: TokenChips, Lines: TextLines },
  picture: { Tokens: PictureTokens, Lines: PictureLines },
};
