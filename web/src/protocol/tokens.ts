// The tokens of a long text, from the block that Studio sends in place of a list.
import { BlockError, type Block } from "./block";
import type { Token } from "./types";

/** What docs/studio-api.md says of /tokens: ids, starts and ends [3, tokens], and the exceptions. */
export function readTokens({ header, values }: Block, text: string): Token[] {
  const [rows = 0, count = 0] = header.shape;
  if (rows !== 3 || header.dtype !== "int32") throw new BlockError("holds no tokens");
  const special = new Set(header["special"] as number[]);
  const texts = header["texts"] as Record<string, string>;
  const at = places(text);
  return Array.from({ length: count }, (_, index) => {
    const start = values[count + index] as number;
    const end = values[2 * count + index] as number;
    return {
      id: values[index] as number,
      text: texts[index] ?? text.slice(at(start), at(end)),
      start: start < 0 ? null : start,
      end: end < 0 ? null : end,
      special: special.has(index),
    };
  });
}

/** Where a character stands in JavaScript's string, which counts some of them twice. */
function places(text: string): (character: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (character) => character;
  const starts = new Uint32Array(text.length + 1);
  let count = 0;
  for (let at = 0; at < text.length; count += 1) {
    starts[count] = at;
    at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
  }
  starts[count] = text.length;
  return (character) => starts[character] ?? text.length;
}
