// Attention weights of one part of the traced model, fetched as blocks and kept while they are of use.
//
// A text of up to 256 tokens comes whole, one block a head; of a longer one come the rows and
// windows that somebody looks at, each exact, and a reduced map of the rest.
import { LARGEST_SIDE, StudioError, type ViewQuestion } from "../protocol/client";
import type { Source } from "../protocol/source";
import type { Part, Trace } from "../protocol/types";
import type { Link } from "./links";
import type { Area, Cells } from "./map/cells";
import { keysOf, queriesOf } from "./parts";

/** One head, or several whose mean is meant. */
export type Heads = number | readonly number[];

/** The most cells that one block may have. */
const MOST_CELLS = LARGEST_SIDE * LARGEST_SIDE;
const KEPT_BYTES = 24 * 2 ** 20;

export class Patterns {
  readonly #kept = new Map<string, Cells>();
  #bytes = 0;

  constructor(
    private readonly source: Source,
    readonly trace: Trace,
    readonly part: Part,
  ) {}

  /** How many tokens look. */
  get size(): number {
    return queriesOf(this.trace, this.part).length;
  }

  /** How many are looked at. */
  get width(): number {
    return keysOf(this.trace, this.part).length;
  }

  /** Does one block hold a whole head, every weight exact? */
  get whole(): boolean {
    return this.size <= LARGEST_SIDE && this.width <= LARGEST_SIDE;
  }

  /** A window of a head; exact where it has at most 256×256 cells, else reduced to that. */
  async cells(layer: number, heads: Heads, area: Area, signal: AbortSignal): Promise<Cells> {
    const height = Math.min(LARGEST_SIDE, area.rows[1] - area.rows[0]);
    const width = Math.min(LARGEST_SIDE, area.columns[1] - area.columns[0]);
    return this.#ask(layer, heads, { ...area, height, width }, signal);
  }

  /** One source token's weights over all tokens, exact. */
  async row(layer: number, heads: Heads, token: number, signal: AbortSignal): Promise<Float32Array> {
    const part = async (first: number): Promise<Float32Array> => {
      const width = Math.min(MOST_CELLS, this.width - first);
      const area: Area = { rows: [token, token + 1], columns: [first, first + width] };
      return (await this.#ask(layer, heads, { ...area, height: 1, width }, signal)).values;
    };
    if (this.width <= MOST_CELLS) return part(0);
    const row = new Float32Array(this.width);
    for (let first = 0; first < this.width; first += MOST_CELLS) row.set(await part(first), first);
    return row;
  }

  /** A long text's strongest links, the weakest first; null where nobody looks for them. */
  async strongest(layer: number, head: number, signal: AbortSignal): Promise<Link[] | null> {
    const question = { layer, head, count: 200, least_key: 1, apart: 2 };
    const found = await this.source.getStrongest?.(this.trace.id, question, signal);
    return found ? found.weights.reverse() : null;
  }

  /** All weights of a head, [queries × keys], gathered from exact blocks. */
  async matrix(layer: number, heads: Heads, signal: AbortSignal): Promise<Float32Array> {
    const { size, width } = this;
    const all = { rows: [0, size], columns: [0, width] } as const;
    if (this.whole) return (await this.cells(layer, heads, all, signal)).values;
    const matrix = new Float32Array(size * width);
    for (let top = 0; top < size; top += LARGEST_SIDE) {
      for (let left = 0; left < width; left += LARGEST_SIDE) {
        const rows = [top, Math.min(size, top + LARGEST_SIDE)] as const;
        const columns = [left, Math.min(width, left + LARGEST_SIDE)] as const;
        const part = await this.cells(layer, heads, { rows, columns }, signal);
        for (let row = 0; row < part.height; row += 1) {
          const line = part.values.subarray(row * part.width, (row + 1) * part.width);
          matrix.set(line, (top + row) * width + left);
        }
      }
    }
    return matrix;
  }

  async #ask(
    layer: number,
    heads: Heads,
    asked: Area & { height: number; width: number },
    signal: AbortSignal,
  ): Promise<Cells> {
    if (typeof heads === "number") return this.#askOne(layer, heads, asked, signal);
    return meanOf(await Promise.all(heads.map((head) => this.#askOne(layer, head, asked, signal))));
  }

  async #askOne(
    layer: number,
    head: number,
    asked: Area & { height: number; width: number },
    signal: AbortSignal,
  ): Promise<Cells> {
    const address = this.part.address.replace("{layer}", String(layer));
    const question: ViewQuestion = { address, head, ...asked };
    const name = JSON.stringify(question);
    const before = this.#kept.get(name);
    if (before) {
      this.#kept.delete(name);
      this.#kept.set(name, before); // the last used is dropped last
      return before;
    }
    const block = await this.source.getView(this.trace.id, question, signal);
    const [height = 0, width = 0] = block.header.shape;
    if (!(block.values instanceof Float32Array)) {
      throw new StudioError("unexpected", {}, 200, "a view without float32 values");
    }
    const cells: Cells = {
      rows: asked.rows,
      columns: asked.columns,
      values: block.values,
      height,
      width,
      aggregated: block.header.aggregated,
    };
    this.#kept.set(name, cells);
    this.#bytes += cells.values.byteLength;
    for (const [oldest, dropped] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES || oldest === name) break;
      this.#kept.delete(oldest);
      this.#bytes -= dropped.values.byteLength;
    }
    return cells;
  }
}

/** Cells of several heads as those of one: the mean of each, also of cells that are means. */
export function meanOf(several: readonly Cells[]): Cells {
  const first = several[0] as Cells;
  if (several.length === 1) return first;
  const values = new Float32Array(first.values.length);
  for (const each of several) {
    for (let cell = 0; cell < values.length; cell += 1) values[cell] = (values[cell] as number) + (each.values[cell] as number);
  }
  return { ...first, values: values.map((sum) => sum / several.length) };
}
