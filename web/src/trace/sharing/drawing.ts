// A part of the page as vector graphics: what the browser has laid out, drawn again as SVG. Text
// stays text, lines stay lines, and a canvas of weights becomes an image with a pixel a weight.
//
// It reads the real elements, so that a picture shows what its reader sees. What is only there to
// be operated (buttons, boxes to tick, what is folded away) is left out; what scrolls is drawn whole.
import { addedBoxes, drawField, isField } from "./drawn_extras";
import { drawText } from "./drawn_text";
import { drawVectors } from "./drawn_vectors";
import { element } from "./markup";

export interface Drawing {
  /** SVG elements, without the svg around them. */
  body: string;
  width: number;
  height: number;
  /** The families of its text. */
  families: Set<string>;
}

/** A box in the drawing, in pixels of the page. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

const OPERATED =
  '.button, input:is([type="checkbox"], [type="radio"], [type="range"]), label:has(input), .unseen, ' +
  '[role="group"]:has(.button), details:not([open])';
/** What is not parted, however tall, where only what is in sight is drawn. */
const WHOLE = "p, li, tr, dt, dd, figure, canvas, [role=row]";
/** What scrolls is drawn whole up to this height, in pixels; beyond, what is in sight. */
const TALLEST = 6000;

/** The drawing of `root`. Where not `whole`, of what scrolls only what is in sight. */
export function draw(root: HTMLElement, whole = true): Drawing {
  const scrolled = [root, ...root.querySelectorAll("*")].filter(
    (each) => each.scrollTop !== 0 || each.scrollLeft !== 0,
  );
  const places = scrolled.map((each) => [each.scrollTop, each.scrollLeft] as const);
  // Nothing is painted meanwhile: the browser gets no turn until all is as it was.
  if (whole) scrolled.forEach((each) => each.scrollTo({ top: 0, left: 0, behavior: "instant" }));
  try {
    return new Artist(root, whole).drawing();
  } finally {
    if (whole) {
      scrolled.forEach((each, index) => {
        const [top, left] = places[index] ?? [0, 0];
        each.scrollTo({ top, left, behavior: "instant" });
      });
    }
  }
}

class Artist {
  readonly #origin: DOMRect;
  readonly #families = new Set<string>();
  /** Below the lower edge of what scrolls, by how much it is taller than the window on it. */
  readonly #grown = new Map<number, number>();
  /** How far to the right and down something is drawn, and how far it may be seen. */
  #right = 0;
  #bottom = 0;
  #limit = { right: Infinity, bottom: Infinity };
  #clips = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly whole: boolean,
  ) {
    this.#origin = root.getBoundingClientRect();
  }

  drawing(): Drawing {
    const body = this.#children(this.root);
    const width = Math.ceil(this.#right);
    return { body, width, height: Math.ceil(this.#bottom), families: this.#families };
  }

  /** Where a box of the page is in the drawing. */
  #place(box: DOMRect): Place {
    let y = box.top - this.#origin.top;
    for (const [bottom, more] of this.#grown) if (box.top >= bottom - 1) y += more;
    return { x: box.left - this.#origin.left, y, width: box.width, height: box.height };
  }

  #children(parent: Element): string {
    let drawn = "";
    for (const child of parent.childNodes) {
      if (child instanceof Text) {
        drawn += drawText(child, (box) => this.#reached(this.#place(box)), this.#families);
      } else if (child instanceof HTMLElement || child instanceof SVGSVGElement) {
        drawn += this.#element(child);
      }
    }
    return drawn;
  }

  #element(each: HTMLElement | SVGSVGElement): string {
    const style = getComputedStyle(each);
    if (style.display === "none" || style.visibility === "hidden" || each.matches(OPERATED)) {
      return "";
    }
    const box = each.getBoundingClientRect();
    const place = this.#place(box);
    if (each instanceof SVGSVGElement) {
      for (const text of each.querySelectorAll("text")) {
        this.#reached(this.#place(text.getBoundingClientRect()));
      }
      return drawVectors(each, this.#reached(place), this.#families);
    }
    const ground = boxOf(style, place) + addedBoxes(each, style, place, boxOf);
    if (ground !== "") this.#reached(place);
    if (isField(each)) return drawField(each, style, this.#reached(place), this.#families);
    if (each instanceof HTMLCanvasElement) {
      return faded(style, ground + pixels(each, style, this.#reached(place)));
    }
    const [down, sideways] = this.whole ? scrolls(each, style) : [0, 0];
    const cut = down + sideways === 0 && cuts(each, style);
    const before = this.#limit;
    if (cut) {
      if (!this.whole && place.height > 0) place.height = beforeParted(each, box) - box.top;
      const [right, bottom] = [place.x + place.width, place.y + place.height];
      this.#limit = { right: Math.min(before.right, right), bottom: Math.min(before.bottom, bottom) };
    }
    const inner = this.#children(each);
    this.#limit = before;
    if (down > 0) {
      const edge = Math.round(box.bottom);
      this.#grown.set(edge, Math.max(down, this.#grown.get(edge) ?? 0));
    }
    return faded(style, ground + (cut ? this.#clipped(inner, place) : inner));
  }

  #reached(place: Place): Place {
    const { right, bottom } = this.#limit;
    this.#right = Math.max(this.#right, Math.min(right, place.x + place.width));
    this.#bottom = Math.max(this.#bottom, Math.min(bottom, place.y + place.height));
    return place;
  }

  #clipped(inner: string, place: Place): string {
    if (inner === "") return "";
    const id = `clip-${(this.#clips += 1)}`;
    const window = element("clipPath", { id }, element("rect", { ...place }));
    return window + element("g", { "clip-path": `url(#${id})` }, inner);
  }
}

/** The lower edge of what is in sight, before the first row, paragraph or map that it would part. */
function beforeParted(window: Element, { top, bottom }: DOMRect): number {
  const low = (bottom - top) / 5;
  const parts = [...window.querySelectorAll("*")]
    .filter((each) => each.clientHeight < low || each.matches(WHOLE))
    .filter((each) => each.checkVisibility() && !each.closest(".unseen"))
    .map((each) => each.getBoundingClientRect());
  let edge = bottom;
  for (let above = Infinity; above !== edge; ) {
    above = edge;
    for (const part of parts) {
      // What begins in the upper fifth would leave nothing.
      const parted = part.top < edge - 1 && part.bottom > edge + 1;
      if (parted && part.top > top + low) edge = part.top;
    }
  }
  return edge;
}

/** By how much an element that scrolls is taller, and wider, than its window. */
function scrolls(each: Element, style: CSSStyleDeclaration): [down: number, sideways: number] {
  const more = (kind: string, whole: number, window: number): number =>
    /auto|scroll/.test(kind) && whole > window + 1 && whole <= TALLEST ? whole - window : 0;
  return [
    more(style.overflowY, each.scrollHeight, each.clientHeight),
    more(style.overflowX, each.scrollWidth, each.clientWidth),
  ];
}

function faded(style: CSSStyleDeclaration, inner: string): string {
  return style.opacity === "1" ? inner : element("g", { opacity: style.opacity }, inner);
}

function cuts(each: Element, style: CSSStyleDeclaration): boolean {
  if (style.overflowX === "visible" && style.overflowY === "visible") return false;
  return each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1;
}

function pixels(canvas: HTMLCanvasElement, style: CSSStyleDeclaration, place: Place): string {
  if (canvas.width === 0 || canvas.height === 0) return "";
  const rendering = style.imageRendering === "auto" ? "auto" : "pixelated";
  return element("image", {
    ...place,
    href: canvas.toDataURL(),
    preserveAspectRatio: "none",
    "image-rendering": rendering,
  });
}

/** Ground, borders and the bars that mark a token. */
function boxOf(style: CSSStyleDeclaration, place: Place): string {
  const { x, y, width, height } = place;
  const rx = parseFloat(style.borderTopLeftRadius) || 0;
  let drawn = "";
  if (isSeen(style.backgroundColor)) {
    drawn += element("rect", { ...place, rx, fill: style.backgroundColor });
  }
  for (const [, colour = "", shift = "0", down = "0", spread = "0", inset] of style.boxShadow.matchAll(
    /(\w+\([^)]*\)) (-?[\d.]+)px (-?[\d.]+)px 0px (-?[\d.]+)px( inset)?/g,
  )) {
    const [dx, dy, by] = [Number(shift), Number(down), Number(spread)];
    if (!inset && by > 0) {
      const around = { x: x - by / 2, y: y - by / 2, width: width + by, height: height + by };
      drawn += element("rect", { ...around, fill: "none", stroke: colour, "stroke-width": by });
    } else if (inset && dx !== 0) {
      const bar = { x: dx > 0 ? x : x + width + dx, y, width: Math.abs(dx), height };
      drawn += element("rect", { ...bar, fill: colour });
    } else if (inset && dy !== 0) {
      const bar = { x, y: dy > 0 ? y : y + height + dy, width, height: Math.abs(dy) };
      drawn += element("rect", { ...bar, fill: colour });
    }
  }
  const sides = [
    [style.borderTopWidth, style.borderTopStyle, style.borderTopColor, x, y, x + width, y],
    [style.borderBottomWidth, style.borderBottomStyle, style.borderBottomColor, x, y + height, x + width, y + height],
    [style.borderLeftWidth, style.borderLeftStyle, style.borderLeftColor, x, y, x, y + height],
    [style.borderRightWidth, style.borderRightStyle, style.borderRightColor, x + width, y, x + width, y + height],
  ] as const;
  for (const [thick, kind, colour, x1, y1, x2, y2] of sides) {
    if (parseFloat(thick) > 0 && kind !== "none" && isSeen(colour)) {
      drawn += element("line", { x1, y1, x2, y2, stroke: colour, "stroke-width": parseFloat(thick) });
    }
  }
  return drawn;
}

function isSeen(colour: string): boolean {
  return colour !== "transparent" && !/^rgba\(.*, 0\)$|\/ 0\)$/.test(colour);
}
