// A text node as SVG text: one element for each line that the browser made of it.
import type { Place } from "./drawing";
import { element, escaped } from "./markup";

type Placed = (box: DOMRect) => Place;

/** The text of a node where it stands on the page; `families` learns which fonts it needs. */
export function drawText(node: Text, placed: Placed, families: Set<string>): string {
  const parent = node.parentElement;
  if (!parent || node.data.trim() === "") return "";
  const style = getComputedStyle(parent);
  families.add(style.fontFamily);
  const { ascent, descent } = measured(style);
  let drawn = "";
  for (const { text, box } of linesOf(node)) {
    const { x, y, height } = placed(box);
    const attributes = {
      x,
      y: y + (height - ascent - descent) / 2 + ascent,
      "font-family": style.fontFamily,
      "font-size": style.fontSize,
      "font-weight": style.fontWeight,
      fill: style.color,
      ...(style.fontStyle === "normal" ? {} : { "font-style": style.fontStyle }),
    };
    drawn += element("text", attributes, escaped(text));
  }
  return drawn;
}

/** The lines of a text node in order, each with the box from its first word to its last. */
function linesOf(node: Text): { text: string; box: DOMRect }[] {
  const lines: { text: string; box: DOMRect }[] = [];
  const range = document.createRange();
  for (const word of node.data.matchAll(/\S+/g)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    const last = lines.at(-1);
    if (last && Math.abs(last.box.top - box.top) < box.height / 2) {
      last.text += ` ${word[0]}`;
      last.box = new DOMRect(last.box.x, last.box.y, box.right - last.box.x, last.box.height);
    } else lines.push({ text: word[0], box });
  }
  return lines;
}

let pen: CanvasRenderingContext2D | null = null;

/** How far a font reaches above and below its base line. */
function measured(style: CSSStyleDeclaration): { ascent: number; descent: number } {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return { ascent: parseFloat(style.fontSize) * 0.8, descent: parseFloat(style.fontSize) * 0.2 };
  pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const { fontBoundingBoxAscent, fontBoundingBoxDescent } = pen.measureText("x");
  return { ascent: fontBoundingBoxAscent, descent: fontBoundingBoxDescent };
}

/** How wide a text is set, in pixels. */
export function widthOf(text: string, font: string): number {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return text.length * 8;
  pen.font = font;
  return pen.measureText(text).width;
}
