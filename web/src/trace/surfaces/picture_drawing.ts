// What draws a picture and its patches.
import PictureLines from "./PictureLines.svelte";
import PictureTokens from "./PictureTokens.svelte";
import type { Drawing } from "./surface";

export const PICTURE: Drawing = { Tokens: PictureTokens, Lines: PictureLines };
