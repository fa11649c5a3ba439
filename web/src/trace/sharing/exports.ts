// What can be taken along of the view that is shown.
import type { PageOpens } from "../../protocol/client";
import type { Picture } from "../picture.svelte";
import { saidOf } from "../reading";
import type { Shown } from "../shown";
import { viewOf } from "../views";
import { pictureOf, slideOf, type Caption } from "./picture";
import { rastered } from "./raster";
import { fileName, save } from "./save";

/** Pixels of a PNG to each of the page's. */
const FINENESS = 2;

export type Kind = "png" | "svg" | "slide" | "page";

/** Save the view, and say what was saved: its name and its size in pixels, where it has one. */
export async function exportView(
  picture: Picture,
  kind: Kind,
  signal: AbortSignal,
): Promise<string> {
  if (kind === "page") return exportPage(picture, signal);
  const view = document.getElementById(picture.id("view"));
  if (!view || !picture.shown) throw new Error("nothing is shown yet");
  const drawn = await (kind === "slide" ? slideOf : pictureOf)(view, caption(picture));
  const name = nameOf(picture, kind);
  const saved = (blob: Blob, scale: number): string => {
    save(blob, name);
    const [width, height] = [drawn.width * scale, drawn.height * scale];
    return picture.reader.say("studio.sharing_saved_size", { name, width, height });
  };
  if (kind === "svg") return saved(new Blob([drawn.svg], { type: "image/svg+xml" }), 1);
  const fineness = kind === "slide" ? 1 : FINENESS;
  return saved(await rastered(drawn, fineness), fineness);
}

/** The trace as one HTML file, which opens with what is shown now. */
async function exportPage(picture: Picture, signal: AbortSignal): Promise<string> {
  const { preferences, reader, shown, source, view } = picture;
  const get = source.getPage;
  if (!get || !shown) throw new Error("nobody to write the page");
  const opens: PageOpens = {
    part: shown.part.name,
    layer: String(shown.layer),
    head: String(shown.head),
    lang: reader.language,
  };
  if (shown.token !== null) opens.token = String(shown.token);
  if (["lines", "map", "numbers"].includes(view)) opens.view = view;
  if (shown.heads) opens.heads = shown.heads.join(".");
  if (shown.overlaid) opens.overlay = "1";
  if (preferences.chosenTheme) opens.theme = preferences.chosenTheme;
  const name = nameOf(picture, "page");
  save(await get(shown.trace.id, opens, signal), name);
  return reader.say("studio.sharing_saved", { name });
}

function showsHead({ source, view }: Picture): boolean {
  return viewOf(source, view).reach === "head";
}

function caption(picture: Picture): Caption {
  const { shown, source, view } = picture;
  const { say } = picture.reader;
  if (!shown) return { title: "", subtitle: "", inPart: "" };
  const answer = shown.trace.answer?.text.trim();
  const said = [shown.trace.model];
  if (shown.part.name in PARTS) said.push(say(PARTS[shown.part.name as keyof typeof PARTS]));
  if (showsHead(picture) && !shown.heads) {
    said.push(say("studio.layer_head", { layer: shown.layer, head: shown.head }));
  } else if (showsHead(picture)) said.push(`${say("studio.layer")} ${shown.layer}`);
  else said.push(say(viewOf(source, view).label));
  const read = saidOf(shown.trace, shown.heads, picture.reader, shown.overlaid !== null);
  if (read) said.push(read);
  const other = view === "compare" ? rightOf(picture, shown) : null;
  if (other) said.push(other.subtitle);
  const title = answer ? `${shown.trace.text} → ${answer}` : shown.trace.text;
  return {
    title: other && other.text !== shown.trace.text ? `${title} ↔ ${other.text}` : title,
    subtitle: said.join(" · "),
    inPart: say("studio.sharing_in_part"),
  };
}

/** What stands on the right in Compare, and both sides' heads in words. */
function rightOf(
  { comparing, reader: { say } }: Picture,
  { trace, layer, head }: Shown,
): { text: string; subtitle: string } {
  const right = { layer: comparing.layer ?? layer, head: comparing.head ?? head };
  const model = comparing.model ?? trace.model;
  const heads = [{ layer, head }, right].map((each) => say("studio.layer_head", each));
  const named = model === trace.model ? heads[1] : `${model}, ${heads[1]}`;
  return { text: comparing.text ?? trace.text, subtitle: `${heads[0]} ↔ ${named}` };
}

const PARTS = {
  encoder: "studio.part_encoder",
  decoder: "studio.part_decoder",
  cross: "studio.part_cross",
} as const;

/** Such as vitral-small-bert-layer1-head2-map.svg. */
function nameOf(picture: Picture, kind: Kind): string {
  const { shown } = picture;
  const ending = { png: "png", svg: "svg", slide: "png", page: "html" }[kind];
  if (!shown) return fileName([], ending);
  const which = shown.heads ? `heads${shown.heads.join("-")}` : `head${shown.head}`;
  const head = showsHead(picture) ? [shown.part.name, `layer${shown.layer}`, which] : [];
  head.push(...(shown.trace.reading ?? "").split("~"));
  const view = kind === "page" ? [] : [...head, picture.view, kind === "slide" ? "slide" : ""];
  return fileName([shown.trace.model.split("/").at(-1) ?? "", ...view], ending);
}
