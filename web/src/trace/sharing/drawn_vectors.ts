// An SVG of the page as part of another: a copy that carries its style with it.
import type { Place } from "./drawing";
import { element } from "./markup";

/** What a style sheet may have said of an element, by the names of SVG's attributes. */
const SAID = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "font-style",
  "text-anchor",
  "dominant-baseline",
  "paint-order",
] as const;

/** `drawing` where it stands; `families` learns which fonts its text needs. */
export function drawVectors(
  drawing: SVGSVGElement,
  place: Place,
  families: Set<string>,
): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const [originals, copies] = [all(drawing), all(copy)];
  originals.forEach((original, index) => {
    const made = copies[index];
    if (!made) return;
    const style = getComputedStyle(original);
    if (original !== drawing && (style.display === "none" || style.visibility === "hidden")) {
      made.remove();
      return;
    }
    for (const name of SAID) made.setAttribute(name, style.getPropertyValue(name));
    for (const name of ["class", "style", "tabindex", "role"]) made.removeAttribute(name);
    if (original instanceof SVGTextElement) families.add(style.fontFamily);
  });
  const inner = [...copy.childNodes].map((child) => written(child)).join("");
  if (inner === "") return "";
  const box = drawing.getAttribute("viewBox");
  return element(
    "svg",
    { ...place, overflow: "visible", ...(box ? { viewBox: box } : {}) },
    inner,
  );
}

function all(drawing: SVGSVGElement): Element[] {
  return [drawing, ...drawing.querySelectorAll("*")];
}

function written(node: Node): string {
  if (node instanceof Comment) return "";
  // The name space stands at the head of the whole picture already.
  return new XMLSerializer().serializeToString(node).replaceAll(' xmlns="http://www.w3.org/2000/svg"', "");
}
