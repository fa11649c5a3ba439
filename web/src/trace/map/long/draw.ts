// Painting the map of a long text: tiles, coarser ones where the finer are on their way, rulers of
// tokens, and the marks of the source token and the cell pointed at.
import type { Spot } from "../../../design/keys";
import type { Ramp } from "../../../design/ramp";
import type { Token } from "../../../protocol/types";
import { label } from "../../words";
import { above, inSight, isSeen, topLevel, type Camera, type Place, type Stage } from "./camera";
import { ruler, type Ruler } from "./rulers";
import type { Tile, Tiles } from "./tiles";

/** Room for the rulers, in pixels; the upper one's labels lean over the right edge. */
export const LEFT = 112;
export const RIGHT = 44;
export const TOP = 84;
/** What a label needs along its ruler. */
const NEEDED = 17;
const LONGEST = 11;

/** Colours of the page, as the style sheet has them now. */
export interface Inks {
  ink: string;
  soft: string;
  faint: string;
  source: string;
  ground: string;
  lead: string;
  raised: string;
  words: string;
  tool: string;
}

/** How weights become colours; `version` tells one way from another. */
export interface Palette {
  colours: Ramp;
  ceiling: number;
  version: number;
}

export interface Scene {
  camera: Camera;
  stage: Stage;
  level: number;
  tokens: readonly Token[];
  causal: boolean;
  source: number | null;
  spot: Spot | null;
  /** A position as its reader writes it. */
  whole: (position: number) => string;
}

export function inksOf(element: Element): Inks {
  const style = getComputedStyle(element);
  const probe = document.createElement("span");
  element.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(${name})`; // light-dark() is not a colour that a canvas knows
    return getComputedStyle(probe).color;
  };
  const inks = {
    ink: colour("--ink"),
    soft: colour("--ink-soft"),
    faint: colour("--ink-faint"),
    source: colour("--source"),
    ground: colour("--ground"),
    lead: colour("--lead"),
    raised: colour("--raised"),
    words: style.getPropertyValue("--words"),
    tool: style.getPropertyValue("--tool"),
  };
  probe.remove();
  return inks;
}

export function draw(
  canvas: HTMLCanvasElement,
  scene: Scene,
  tiles: Tiles,
  palette: Palette,
  inks: Inks,
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { camera, stage } = scene;
  const dense = window.devicePixelRatio || 1;
  const [width, height] = [stage.width + LEFT + RIGHT, stage.height + TOP];
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
  }
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, width, height);
  const right = Math.min(stage.width, (stage.size - camera.column) * camera.scale);
  const bottom = Math.min(stage.height, (stage.size - camera.row) * camera.scale);

  context.save();
  context.translate(LEFT, TOP);
  context.fillStyle = inks.lead;
  context.fillRect(-2, -2, right + 4, bottom + 4);
  context.beginPath();
  context.rect(0, 0, right, bottom);
  context.clip();
  context.fillStyle = palette.colours.css(0);
  context.fillRect(0, 0, right, bottom);
  context.imageSmoothingEnabled = false;
  for (const place of inSight(camera, scene.level, stage)) {
    if (!isSeen(place, stage.size, scene.causal)) continue;
    const tile = tiles.at(place);
    if (tile) put(context, tile, null, camera, palette);
    else putCoarser(context, place, tiles, scene, palette);
  }
  marks(context, scene, inks, right, bottom);
  context.restore();

  rulers(context, scene, inks);
}

/** A tile where it belongs; with `part`, only that part of it, in tokens. */
function put(
  context: CanvasRenderingContext2D,
  tile: Tile,
  part: { rows: readonly [number, number]; columns: readonly [number, number] } | null,
  camera: Camera,
  palette: Palette,
): void {
  const picture = painted(tile, palette);
  const { rows, columns } = part ?? tile;
  const cell = 2 ** tile.level;
  context.drawImage(
    picture,
    (columns[0] - tile.columns[0]) / cell,
    (rows[0] - tile.rows[0]) / cell,
    (columns[1] - columns[0]) / cell,
    (rows[1] - rows[0]) / cell,
    (columns[0] - camera.column) * camera.scale,
    (rows[0] - camera.row) * camera.scale,
    (columns[1] - columns[0]) * camera.scale,
    (rows[1] - rows[0]) * camera.scale,
  );
}

/** While a tile is on its way: the nearest coarser one that is here. */
function putCoarser(
  context: CanvasRenderingContext2D,
  place: Place,
  tiles: Tiles,
  scene: Scene,
  palette: Palette,
): void {
  const { size } = scene.stage;
  const span = (index: number): [number, number] => {
    const tokens = 256 * 2 ** place.level;
    return [Math.min(size, index * tokens), Math.min(size, (index + 1) * tokens)];
  };
  const part = { rows: span(place.down), columns: span(place.across) };
  for (let levels = 1; place.level + levels <= topLevel(size); levels += 1) {
    const tile = tiles.at(above(place, levels));
    if (!tile) continue;
    put(context, tile, part, scene.camera, palette);
    return;
  }
}

/** The tile's picture, painted anew where the colours are others. */
function painted(tile: Tile, { colours, ceiling, version }: Palette): HTMLCanvasElement {
  tile.picture ??= document.createElement("canvas");
  const picture = tile.picture;
  if (tile.painted === version) return picture;
  if (picture.width !== tile.width) picture.width = tile.width;
  if (picture.height !== tile.height) picture.height = tile.height;
  const context = picture.getContext("2d");
  const image = new ImageData(tile.width, tile.height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(colours.bytes.buffer);
  const step = ceiling > 0 ? 255 / ceiling : 0;
  for (let cell = 0; cell < pixels.length; cell += 1) {
    const index = ((tile.values[cell] as number) * step + 0.5) | 0;
    pixels[cell] = table[index > 255 ? 255 : index] as number;
  }
  context?.putImageData(image, 0, 0);
  tile.painted = version;
  return picture;
}

/** The source token's row, and the cell pointed at with the lines to its two tokens. */
function marks(
  context: CanvasRenderingContext2D,
  { camera, level, source, spot, stage }: Scene,
  inks: Inks,
  right: number,
  bottom: number,
): void {
  const line = (colour: string, width: number, path: () => void): void => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    path();
    context.stroke();
  };
  if (source !== null) {
    const y = (source - camera.row) * camera.scale;
    const tall = Math.max(2, camera.scale);
    if (y + tall >= 0 && y <= bottom) {
      line(inks.source, camera.scale < 4 ? 1 : 2, () => context.rect(0, y, right, tall));
    }
  }
  if (!spot) return;
  const tokens = 2 ** level;
  const side = (first: number): number =>
    Math.max(4, Math.min(tokens, stage.size - first) * camera.scale);
  const x = (spot.column - camera.column) * camera.scale;
  const y = (spot.row - camera.row) * camera.scale;
  const [wide, tall] = [side(spot.column), side(spot.row)];
  for (const [colour, width] of [
    [inks.ground, 3],
    [inks.ink, 1.25],
  ] as const) {
    line(colour, width, () => {
      context.moveTo(0, y + tall / 2);
      context.lineTo(x, y + tall / 2);
      context.moveTo(x + wide / 2, 0);
      context.lineTo(x + wide / 2, y);
      context.rect(x, y, wide, tall);
    });
  }
}

function rulers(context: CanvasRenderingContext2D, scene: Scene, inks: Inks): void {
  const { camera, stage, spot, source } = scene;
  const { size } = stage;
  const kept = (...positions: (number | null | undefined)[]): number[] =>
    positions.filter((at): at is number => at !== null && at !== undefined);
  const down = ruler(camera.row, stage.height, camera.scale, size, NEEDED, kept(spot?.row, source));
  const across = ruler(camera.column, stage.width, camera.scale, size, NEEDED + 3, kept(spot?.column));
  context.textBaseline = "middle";
  for (const at of down.positions) {
    const y = TOP + (at - camera.row + 0.5) * camera.scale;
    if (y < TOP || y > TOP + stage.height) continue;
    const colour = at === spot?.row ? inks.ink : at === source ? inks.source : inks.soft;
    write(context, scene, down, at, LEFT - 7, y, "right", colour, inks);
  }
  for (const at of across.positions) {
    const x = LEFT + (at - camera.column + 0.5) * camera.scale;
    if (x < LEFT || x > LEFT + stage.width) continue;
    const colour = at === spot?.column ? inks.ink : inks.soft;
    context.save();
    context.translate(x, TOP - 8);
    context.rotate((-55 * Math.PI) / 180);
    write(context, scene, across, at, 0, 0, "left", colour, inks);
    context.restore();
  }
}

/** A token's label; where not every token has one, its position beside it. */
function write(
  context: CanvasRenderingContext2D,
  { tokens, spot, whole }: Scene,
  { step }: Ruler,
  at: number,
  x: number,
  y: number,
  align: "left" | "right",
  colour: string,
  inks: Inks,
): void {
  const token = tokens[at];
  if (!token) return;
  const bold = at === spot?.row || at === spot?.column ? "700 " : "";
  const family = token.special ? inks.tool : inks.words;
  const words = shortened(label(token), step > 1 ? LONGEST - 4 : LONGEST);
  context.textAlign = align;
  context.font = `${bold}14px ${family}`;
  context.fillStyle = colour;
  if (step === 1) {
    context.fillText(words, x, y);
    return;
  }
  const position = whole(at);
  if (align === "right") {
    context.fillText(words, x, y);
    x -= context.measureText(words).width + 6;
  } else {
    context.fillText(words, x, y);
    x += context.measureText(words).width + 6;
  }
  context.font = `12px ${inks.tool}`;
  context.fillStyle = inks.faint;
  context.fillText(position, x, y);
}

function shortened(words: string, longest: number): string {
  return words.length > longest ? `${words.slice(0, longest - 1)}…` : words;
}
