// The patches of a picture: where each token lies, and which token is where.
import { movedInGrid, type Spot } from "../../design/keys";
import type { Patch, PictureSurface, Token } from "../../protocol/types";
import type { Places } from "./surface";

export class Patches implements Places<Patch> {
  /** The tokens that are no patch. */
  readonly beside: number[] = [];
  readonly rows: number;
  readonly columns: number;
  readonly #tokens: Int32Array;

  constructor(
    surface: PictureSurface,
    private readonly all: readonly Token[],
  ) {
    this.rows = surface.rows;
    this.columns = surface.columns;
    this.#tokens = new Int32Array(this.rows * this.columns).fill(-1);
    all.forEach(({ patch }, token) => {
      if (patch) this.#tokens[patch.row * this.columns + patch.column] = token;
      else this.beside.push(token);
    });
  }

  placeOf(token: number): Patch | null {
    return this.all[token]?.patch ?? null;
  }

  tokenAt(x: number, y: number): number | null {
    const first = this.all[this.#tokens[0] ?? -1]?.patch;
    if (!first || x < 0 || y < 0) return null;
    const [width, height] = [first.right - first.left, first.bottom - first.top];
    return this.tokenIn({ row: Math.floor(y / height), column: Math.floor(x / width) });
  }

  tokenIn({ row, column }: Spot): number | null {
    if (row < 0 || row >= this.rows || column < 0 || column >= this.columns) return null;
    const token = this.#tokens[row * this.columns + column] ?? -1;
    return token < 0 ? null : token;
  }

  /** The token that a key moves to: arrows go by row and column, and into the picture. */
  moved(event: KeyboardEvent, from: number | null): number | null {
    const at = from === null ? null : this.placeOf(from);
    if (!at) return event.key.startsWith("Arrow") ? this.tokenIn({ row: 0, column: 0 }) : null;
    const to = movedInGrid(event, at, this.rows, this.columns, -1);
    return to && this.tokenIn(to);
  }

  paint(weights: ArrayLike<number>): Float32Array {
    return Float32Array.from(this.#tokens, (token) => (token < 0 ? NaN : (weights[token] ?? NaN)));
  }
}
