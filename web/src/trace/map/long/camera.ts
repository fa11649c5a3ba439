// Where one stands before the map of a long text: which token is at the upper left corner, and
// how many pixels a token takes. From that follow the zoom level and the tiles in sight.
//
// A level-n cell stands for 2ⁿ × 2ⁿ weights, a tile for 256 × 256 cells, so a tile of level n is
// four of level n − 1. Level 0 is exact.

export interface Camera {
  /** The token at the top and at the left edge; a fraction where the edge cuts through one. */
  row: number;
  column: number;
  /** Pixels a token. */
  scale: number;
}

/** What the camera looks at and through: tokens a side, and the window in pixels. */
export interface Stage {
  size: number;
  width: number;
  height: number;
}

export interface Place {
  level: number;
  /** Which tile, down and across. */
  down: number;
  across: number;
}

/** Cells along each side of a tile. */
export const SIDE = 256;
/** The most pixels that a token takes. */
export const CLOSEST = 44;

/** The scale at which the whole text fits. */
export function fitting({ size, width, height }: Stage): number {
  return Math.min(width, height) / size;
}

export function whole(stage: Stage): Camera {
  return { row: 0, column: 0, scale: fitting(stage) };
}

/** The nearest camera that shows no more outside the map than it must. */
export function inside({ row, column, scale }: Camera, stage: Stage): Camera {
  const kept = Math.min(CLOSEST, Math.max(fitting(stage), scale));
  const edge = (first: number, pixels: number): number =>
    Math.max(0, Math.min(first, stage.size - pixels / kept));
  return { row: edge(row, stage.height), column: edge(column, stage.width), scale: kept };
}

/** Closer by `factor`, or further; what lies at pixel (x, y) stays there. */
export function zoomed(camera: Camera, factor: number, x: number, y: number, stage: Stage): Camera {
  const scale = Math.min(CLOSEST, Math.max(fitting(stage), camera.scale * factor));
  return inside(
    {
      row: camera.row + y / camera.scale - y / scale,
      column: camera.column + x / camera.scale - x / scale,
      scale,
    },
    stage,
  );
}

/**
 * The pixel that stays where it is when one zooms without pointing: that of a spot, or the window's
 * middle; of a causal head, the middle of what may hold a weight.
 */
export function still(
  camera: Camera,
  stage: Stage,
  causal: boolean,
  spot: { row: number; column: number } | null,
): { x: number; y: number } {
  const pixels = (first: number, at: number): number => (at - first) * camera.scale;
  if (spot) return { x: pixels(camera.column, spot.column), y: pixels(camera.row, spot.row) };
  const x = Math.min(stage.width, pixels(camera.column, stage.size)) / 2;
  const y = Math.min(stage.height, pixels(camera.row, stage.size)) / 2;
  const diagonal = y + pixels(camera.column, camera.row);
  return { x: causal ? Math.max(0, Math.min(x, diagonal)) : x, y };
}

/** A cell in the middle of the window, at a scale. */
export function centred(row: number, column: number, scale: number, stage: Stage): Camera {
  const kept = Math.min(CLOSEST, Math.max(fitting(stage), scale));
  return inside(
    {
      row: row + 0.5 - stage.height / kept / 2,
      column: column + 0.5 - stage.width / kept / 2,
      scale: kept,
    },
    stage,
  );
}

/** The camera moved as little as brings a cell of `tokens` a side into sight. */
export function showing(
  camera: Camera,
  row: number,
  column: number,
  tokens: number,
  stage: Stage,
): Camera {
  const slide = (first: number, at: number, pixels: number): number => {
    const seen = pixels / camera.scale;
    if (at < first) return at;
    return at + tokens > first + seen ? at + tokens - seen : first;
  };
  const moved = {
    row: slide(camera.row, row, stage.height),
    column: slide(camera.column, column, stage.width),
    scale: camera.scale,
  };
  return inside(moved, stage);
}

/** The level of which one tile holds the whole text. */
export function topLevel(size: number): number {
  return Math.max(0, Math.ceil(Math.log2(size / SIDE)));
}

/** The finest level of which a cell still takes a pixel. */
export function levelOf(scale: number, size: number): number {
  const level = Math.ceil(-Math.log2(scale) - 1e-9);
  return Math.min(topLevel(size), Math.max(0, level));
}

/** Which tokens a tile stands for, in one direction. */
export function tokensOf(level: number, index: number, size: number): [number, number] {
  const span = SIDE * 2 ** level;
  return [Math.min(size, index * span), Math.min(size, (index + 1) * span)];
}

/** May anything in this tile be more than zero? Not in a causal head's tile above the diagonal. */
export function isSeen({ level, down, across }: Place, size: number, causal: boolean): boolean {
  return !causal || across <= down || tokensOf(level, across, size)[0] < tokensOf(level, down, size)[1];
}

/** The tiles in sight, from the middle outwards. */
export function inSight(camera: Camera, level: number, stage: Stage): Place[] {
  const span = SIDE * 2 ** level;
  const range = (first: number, pixels: number): [number, number] => [
    Math.floor(first / span),
    Math.ceil(Math.min(stage.size, first + pixels / camera.scale) / span),
  ];
  const [top, bottom] = range(camera.row, stage.height);
  const [left, right] = range(camera.column, stage.width);
  const places: Place[] = [];
  for (let down = top; down < bottom; down += 1) {
    for (let across = left; across < right; across += 1) places.push({ level, down, across });
  }
  const middle = [(top + bottom - 1) / 2, (left + right - 1) / 2] as const;
  const far = (place: Place): number =>
    Math.hypot(place.down - middle[0], place.across - middle[1]);
  return places.sort((a, b) => far(a) - far(b));
}

/** The tile of a level above that holds this one. */
export function above({ level, down, across }: Place, levels: number): Place {
  const share = 2 ** levels;
  return {
    level: level + levels,
    down: Math.floor(down / share),
    across: Math.floor(across / share),
  };
}
