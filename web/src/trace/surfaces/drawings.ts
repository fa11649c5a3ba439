// What draws each kind of surface: a line each. What few readers open is fetched when it is needed.
import TextLines from "../lines/TextLines.svelte";
import TokenChips from "../TokenChips.svelte";
import type { Kind } from "./kinds";
import type { Drawing } from "./surface";

const TEXT: Drawing = { Tokens: TokenChips, Lines: TextLines };

export const DRAWINGS: Record<Kind, () => Drawing | Promise<Drawing>> = {
  text: () => TEXT,
  picture: async () => (await import("./picture_drawing")).PICTURE,
};
