// Tiles of a head's map: fetched when they come into sight, dropped when others need their room.
//
// Only the tiles wanted now are asked for, a few at a time, the nearest to the middle first; a
// question whose tile has left the window is aborted. What has come stays until the room for
// `KEPT_TILES` is full; then the tile longest out of sight goes. The tile of the whole text stays,
// so that there is always something to draw.
import { LARGEST_SIDE } from "../../../protocol/client";
import type { Source } from "../../../protocol/source";
import type { Trace } from "../../../protocol/types";
import { patternAddress } from "../../pattern_address";
import { meanOf } from "../../patterns";
import { tokensOf, topLevel, type Place } from "./camera";

/** A tile of 256 × 256 cells takes half a megabyte: its numbers, and its picture. */
export const KEPT_TILES = 96;
/** As many as Studio works on side by side: more would only wait there, and delay what is wanted
 * after the next move. */
const AT_ONCE = 2;
/** After an answer that says “too much at once”, milliseconds until the next question. */
const PAUSE = 400;

export type Reduction = "mean" | "max";

export interface Tile extends Place {
  rows: [number, number];
  columns: [number, number];
  /** [height × width], row by row. */
  values: Float32Array;
  height: number;
  width: number;
  /** The greatest value, and one that few values surpass. */
  greatest: number;
  usual: number;
  picture: HTMLCanvasElement | null;
  /** Which colours the picture was painted with. */
  painted: number;
}

export interface Head {
  layer: number;
  head: number;
  /** Several heads whose mean is meant, in the place of `head`: then cells are means, too. */
  heads?: readonly number[] | null;
  reduction: Reduction;
}

export class Tiles {
  readonly #kept = new Map<string, Tile>();
  readonly #asked = new Map<string, AbortController>();
  #wanted: Place[] = [];
  #head: Head = { layer: 0, head: 0, reduction: "mean" };
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly source: Source,
    readonly trace: Trace,
    private readonly arrived: (tile: Tile) => void,
    private readonly failed: (problem: unknown) => void,
  ) {}

  /** How many tiles are here, and how many are on their way. */
  get counts(): { kept: number; asked: number } {
    return { kept: this.#kept.size, asked: this.#asked.size };
  }

  /** Another head, or another way of pooling: what was asked for is asked for no more. */
  show(head: Head): void {
    const { layer, head: index, heads, reduction } = this.#head;
    const same = layer === head.layer && index === head.head && String(heads) === String(head.heads);
    if (same && reduction === head.reduction) return;
    this.#head = head;
    this.#abort(() => true);
  }

  /** The tile at a place, if it is here. */
  at(place: Place): Tile | undefined {
    const name = this.#name(place);
    const tile = this.#kept.get(name);
    if (tile) {
      this.#kept.delete(name);
      this.#kept.set(name, tile); // the last looked at is dropped last
    }
    return tile;
  }

  /** What is in sight now, the most urgent first. */
  want(places: readonly Place[]): void {
    const size = this.trace.tokens.length;
    const top: Place = { level: topLevel(size), down: 0, across: 0 };
    this.#wanted = [top, ...places];
    const names = new Set(this.#wanted.map((place) => this.#name(place)));
    this.#abort((name) => !names.has(name));
    this.#ask();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#waiting);
    this.#abort(() => true);
    this.#kept.clear();
  }

  #name({ level, down, across }: Place): string {
    const { layer, head, heads, reduction } = this.#head;
    // An exact cell is its own mean and its own greatest.
    return [layer, heads?.join("+") ?? head, level === 0 ? "" : reduction, level, down, across].join(".");
  }

  #abort(dropped: (name: string) => boolean): void {
    for (const [name, question] of this.#asked) {
      if (!dropped(name)) continue;
      this.#asked.delete(name);
      question.abort();
    }
  }

  #ask(): void {
    if (this.#closed) return;
    for (const place of this.#wanted) {
      if (this.#asked.size >= AT_ONCE) return;
      const name = this.#name(place);
      if (!this.#kept.has(name) && !this.#asked.has(name)) void this.#fetch(name, place);
    }
  }

  async #fetch(name: string, place: Place): Promise<void> {
    const question = new AbortController();
    this.#asked.set(name, question);
    const began = performance.now();
    const size = this.trace.tokens.length;
    const rows = tokensOf(place.level, place.down, size);
    const columns = tokensOf(place.level, place.across, size);
    const { layer, head, heads, reduction } = this.#head;
    const asked = {
      address: patternAddress(layer),
      rows,
      columns,
      height: LARGEST_SIDE,
      width: LARGEST_SIDE,
      cell: 2 ** place.level,
      reduction: heads ? ("mean" as const) : reduction,
    };
    try {
      const cells = await Promise.all(
        (heads ?? [head]).map(async (one) => {
          const view = { ...asked, head: one };
          const block = await this.source.getView(this.trace.id, view, question.signal);
          const [height = 0, width = 0] = block.header.shape;
          const values = block.values as Float32Array;
          return { rows, columns, height, width, values, aggregated: block.header.aggregated };
        }),
      );
      if (question.signal.aborted) return;
      const { height, width, values } = meanOf(cells);
      this.#asked.delete(name);
      const tile = { ...place, rows, columns, values, height, width, picture: null, painted: -1 };
      const seen = { ...tile, ...heights(values) };
      this.#keep(name, seen);
      performance.measure("vitral-tile", { start: began });
      this.arrived(seen);
      this.#ask();
    } catch (problem) {
      this.#asked.delete(name);
      if (question.signal.aborted) return;
      clearTimeout(this.#waiting);
      if ((problem as { code?: unknown }).code === "studio_busy") {
        this.#waiting = setTimeout(() => this.#ask(), PAUSE);
      } else this.failed(problem);
    }
  }

  #keep(name: string, tile: Tile): void {
    this.#kept.set(name, tile);
    const needed = new Set(this.#wanted.map((place) => this.#name(place)));
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_TILES) return;
      if (!needed.has(old)) this.#kept.delete(old);
    }
  }
}

/** The greatest of a tile's values, and the one that a two-hundredth of those above 0 surpass. */
function heights(values: Float32Array): { greatest: number; usual: number } {
  let greatest = 0;
  const some: number[] = [];
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    if (value > greatest) greatest = value;
    if (value > 0 && index % 7 === 0) some.push(value); // 7: no whole columns
  }
  const sorted = Float32Array.from(some).sort();
  return { greatest, usual: sorted[Math.floor(sorted.length * 0.995)] ?? greatest };
}
