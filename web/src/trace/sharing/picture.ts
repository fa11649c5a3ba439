// A view as a picture that explains itself: the text above, model and head under it, then the view.
import { draw, type Drawing } from "./drawing";
import { widthOf } from "./drawn_text";
import { fontRules } from "./fonts";
import { element, escaped } from "./markup";
import { onStage } from "./stage";

/** What the picture says of itself. */
export interface Caption {
  title: string;
  /** Model, layer and head. */
  subtitle: string;
  /** Where only a part of a long view is drawn. */
  inPart: string;
}

export interface Drawn {
  svg: string;
  width: number;
  height: number;
}

export const SLIDE = { width: 1920, height: 1080 } as const;

interface Measures {
  margin: number;
  title: number;
  subtitle: number;
  mostLines: number;
}
const PLAIN: Measures = { margin: 28, title: 22, subtitle: 15, mostLines: 4 };
const LARGE: Measures = { margin: 72, title: 46, subtitle: 28, mostLines: 2 };
/** A title needs some room even over a small view, in pixels. */
const NARROWEST = 420;
/** A slide's view is drawn at least as large as on the page, or else what is in sight of it. */
const LEAST_SCALE = 1;

/** The picture of `view`, as large as it is on the page. */
export async function pictureOf(view: HTMLElement, caption: Caption): Promise<Drawn> {
  const drawing = draw(view);
  const font = `${PLAIN.subtitle}px ${families().tool}`;
  const least = Math.max(NARROWEST, Math.ceil(widthOf(caption.subtitle, font)));
  const width = Math.max(drawing.width, least) + 2 * PLAIN.margin;
  const head = headOf(caption, width, PLAIN);
  const body = element(
    "g",
    { transform: `translate(${PLAIN.margin} ${head.height})` },
    drawing.body,
  );
  const height = Math.ceil(head.height + drawing.height + PLAIN.margin * 1.6);
  return finished(head.body + body + mark(width, height, PLAIN), { width, height }, drawing);
}

/** The same as a slide: laid out anew for a screen's shape, and large. */
export async function slideOf(view: HTMLElement, caption: Caption): Promise<Drawn> {
  const { width, height } = SLIDE;
  const room = (top: number): { width: number; height: number } => ({
    width: width - 2 * LARGE.margin,
    height: height - top - LARGE.margin,
  });
  let head = headOf(caption, width, LARGE);
  const [drawing, inPart] = await onStage(view, () => {
    const all = draw(view);
    if (scaleOf(all, room(head.height)) >= LEAST_SCALE) return [all, false] as const;
    return [draw(view, false), true] as const;
  });
  if (inPart) {
    head = headOf({ ...caption, subtitle: `${caption.subtitle} · ${caption.inPart}` }, width, LARGE);
  }
  const there = room(head.height);
  const scale = scaleOf(drawing, there);
  const left = LARGE.margin + (there.width - drawing.width * scale) / 2;
  const top = head.height + (there.height - drawing.height * scale) / 2;
  const transform = `translate(${left.toFixed(2)} ${top.toFixed(2)}) scale(${scale.toFixed(4)})`;
  const body = element("g", { transform }, drawing.body);
  return finished(head.body + body + mark(width, height, LARGE), SLIDE, drawing);
}

function scaleOf(drawing: Drawing, room: { width: number; height: number }): number {
  return Math.min(room.width / drawing.width, room.height / drawing.height);
}

function colour(name: string): string {
  // Through an element, which resolves what depends on the theme.
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function families(): { words: string; tool: string } {
  const root = getComputedStyle(document.documentElement);
  const [words, tool] = [root.getPropertyValue("--words"), root.getPropertyValue("--tool")];
  return { words: words.replaceAll('"', "'"), tool: tool.replaceAll('"', "'") };
}

function headOf(
  { title, subtitle }: Caption,
  width: number,
  measures: Measures,
): { body: string; height: number } {
  const { words, tool } = families();
  const { margin } = measures;
  const font = `600 ${measures.title}px ${words}`;
  const lines = wrapped(title, width - 2 * margin, measures.mostLines, (text) => widthOf(text, font));
  let y = margin + measures.title * 0.6;
  let body = "";
  for (const line of lines) {
    const attributes = { x: margin, y, "font-family": words, "font-size": measures.title };
    body += element("text", { ...attributes, "font-weight": 600, fill: colour("--ink") }, escaped(line));
    y += measures.title * 1.3;
  }
  y += measures.subtitle * 0.3;
  const small = { x: margin, y, "font-family": tool, "font-size": measures.subtitle };
  body += element("text", { ...small, fill: colour("--ink-soft") }, escaped(subtitle));
  return { body, height: y + measures.subtitle * 1.2 };
}

function mark(width: number, height: number, { margin, subtitle }: Measures): string {
  const attributes = {
    x: width - margin,
    y: height - margin * 0.5,
    "text-anchor": "end",
    "font-family": families().words,
    "font-size": subtitle * 0.9,
    fill: colour("--ink-faint"),
  };
  return element("text", attributes, "Vitral");
}

/** A text in lines no wider than `width`; one that needs more than `most` lines ends with "…". */
export function wrapped(
  text: string,
  width: number,
  most: number,
  measure: (text: string) => number,
): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.trim().split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (line === "" || measure(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  const kept = lines.slice(0, most);
  return kept.map((each, index) => {
    const ends = index === most - 1 && lines.length > most;
    let shown = ends ? `${each}…` : each;
    while (measure(shown) > width && shown.length > 1) shown = `${shown.replace(/…$/, "").slice(0, -1)}…`;
    return shown;
  });
}

async function finished(
  body: string,
  { width, height }: { width: number; height: number },
  drawing: Drawing,
): Promise<Drawn> {
  const { words, tool } = families();
  const rules = await fontRules([words, tool, ...drawing.families]);
  const style = element(
    "style",
    {},
    escaped(`${rules}text{font-variant-numeric:tabular-nums;white-space:pre}`).replaceAll("&quot;", '"'),
  );
  const ground = element("rect", { width, height, fill: colour("--ground") });
  const attributes = { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` };
  return { svg: element("svg", attributes, style + ground + body), width, height };
}
