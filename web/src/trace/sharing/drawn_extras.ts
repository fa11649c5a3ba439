// What a style sheet adds to an element, and what a field holds: neither is in the page's text.
import type { Place } from "./drawing";
import { widthOf } from "./drawn_text";
import { element, escaped } from "./markup";

/** The boxes that ::before and ::after place absolutely in an element, such as an idle head's bar. */
export function addedBoxes(
  owner: HTMLElement,
  style: CSSStyleDeclaration,
  place: Place,
  box: (style: CSSStyleDeclaration, place: Place) => string,
): string {
  if (style.position === "static") return "";
  let drawn = "";
  for (const which of ["::before", "::after"]) {
    const added = getComputedStyle(owner, which);
    if (added.content === "none" || added.content === "normal") continue;
    if (added.display === "none" || added.position !== "absolute") continue;
    const [x, y, width, height] = [added.left, added.top, added.width, added.height].map(parseFloat);
    if (![x, y, width, height].every(Number.isFinite)) continue;
    drawn += box(added, {
      x: place.x + parseFloat(style.borderLeftWidth) + (x ?? 0),
      y: place.y + parseFloat(style.borderTopWidth) + (y ?? 0),
      width: width ?? 0,
      height: height ?? 0,
    });
  }
  return drawn;
}

/** A field whose value says what is shown: a select's choice, a written text. */
export type Field = HTMLSelectElement | HTMLInputElement | HTMLTextAreaElement;

export function isField(each: Element): each is Field {
  return each.matches('select, textarea, input[type="text"], input[type="number"]');
}

/** The value of a field as text where it stands, shortened to its width. */
export function drawField(
  field: Field,
  style: CSSStyleDeclaration,
  { x, y, width, height }: Place,
  families: Set<string>,
): string {
  const value =
    field instanceof HTMLSelectElement ? (field.selectedOptions[0]?.text ?? "") : field.value;
  const font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const left = parseFloat(style.paddingLeft) || 0;
  let shown = value.trim();
  while (shown.length > 1 && widthOf(shown, font) > width - left) {
    shown = `${shown.replace(/…$/, "").slice(0, -1).trimEnd()}…`;
  }
  families.add(style.fontFamily);
  const attributes = {
    x: x + left,
    y: y + height / 2 + parseFloat(style.fontSize) * 0.35,
    "font-family": style.fontFamily,
    "font-size": style.fontSize,
    "font-weight": style.fontWeight,
    fill: style.color,
  };
  return element("text", attributes, escaped(shown));
}
