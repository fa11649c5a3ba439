// What can be taken along of the view that is shown.
import { room } from "../room.svelte";
import { viewOf } from "../views";
import { reader, say } from "../../messages/catalogue.svelte";
import type { PageOpens } from "../../protocol/client";
import { source } from "../../protocol/source";
import { preferences } from "../../state/preferences.svelte";
import { pictureOf, slideOf, type Caption, type Picture } from "./picture";
import { rastered } from "./raster";
import { fileName, save } from "./save";

/** Pixels of a PNG to each of the page's. */
const FINENESS = 2;

export type Kind = "png" | "svg" | "slide" | "page";

/** Save the view, and say what was saved: its name and its size in pixels, where it has one. */
export async function exportView(kind: Kind, signal: AbortSignal): Promise<string> {
  if (kind === "page") return exportPage(signal);
  const view = document.getElementById("view");
  if (!view || !room.shown) throw new Error("nothing is shown yet");
  const picture = await (kind === "slide" ? slideOf : pictureOf)(view, caption());
  const name = nameOf(kind);
  if (kind === "svg") return saved(new Blob([picture.svg], { type: "image/svg+xml" }), name, picture, 1);
  const fineness = kind === "slide" ? 1 : FINENESS;
  return saved(await rastered(picture, fineness), name, picture, fineness);
}

function saved(blob: Blob, name: string, { width, height }: Picture, scale: number): string {
  save(blob, name);
  return say("studio.sharing_saved_size", { name, width: width * scale, height: height * scale });
}

/** The trace as one HTML file, which opens with what is shown now. */
async function exportPage(signal: AbortSignal): Promise<string> {
  const [get, shown] = [source().getPage, room.shown];
  if (!get || !shown) throw new Error("nobody to write the page");
  const opens: PageOpens = {
    part: shown.part.name,
    layer: String(shown.layer),
    head: String(shown.head),
    lang: reader.language,
  };
  if (shown.token !== null) opens.token = String(shown.token);
  if (["lines", "map", "numbers"].includes(room.view)) opens.view = room.view;
  if (preferences.chosenTheme) opens.theme = preferences.chosenTheme;
  const name = nameOf("page");
  save(await get(shown.trace.id, opens, signal), name);
  return say("studio.sharing_saved", { name });
}

function showsHead(): boolean {
  return viewOf(room.view).reach === "head";
}

function caption(): Caption {
  const shown = room.shown;
  if (!shown) return { title: "", subtitle: "", inPart: "" };
  const answer = shown.trace.answer?.text.trim();
  const said = [shown.trace.model];
  if (shown.part.name in PARTS) said.push(say(PARTS[shown.part.name as keyof typeof PARTS]));
  if (showsHead()) said.push(say("studio.layer_head", { layer: shown.layer, head: shown.head }));
  else said.push(say(viewOf(room.view).label));
  return {
    title: answer ? `${shown.trace.text} → ${answer}` : shown.trace.text,
    subtitle: said.join(" · "),
    inPart: say("studio.sharing_in_part"),
  };
}

const PARTS = {
  encoder: "studio.part_encoder",
  decoder: "studio.part_decoder",
  cross: "studio.part_cross",
} as const;

/** Such as vitral-small-bert-layer1-head2-map.svg. */
function nameOf(kind: Kind): string {
  const shown = room.shown;
  const ending = { png: "png", svg: "svg", slide: "png", page: "html" }[kind];
  if (!shown) return fileName([], ending);
  const head = showsHead() ? [shown.part.name, `layer${shown.layer}`, `head${shown.head}`] : [];
  const view = kind === "page" ? [] : [...head, room.view, kind === "slide" ? "slide" : ""];
  return fileName([shown.trace.model.split("/").at(-1) ?? "", ...view], ending);
}
