// A layer's attention weights, any cell of them, from what the page carries:
//
//   weight[t, s] = exp(q_t · k_s · scaling + bias[t, s] − lse[t])
//
// with every step rounded to float32 where Vitral rounds it, so that the numbers are those of
// trace.attention to within the last places of float32.
import { bits, floats, type Added, type Carried, type Given, type Kept, type Rule } from "./carried";

export interface Layer {
  /** Write the weights of query `row` over keys `first` … `end` − 1 into `into`. */
  row(head: number, row: number, first: number, end: number, into: Float32Array): void;
}

/** Each layer is unpacked when it is first looked at. */
export class Layers {
  readonly #found = new Map<number, Layer>();

  constructor(private readonly carried: Carried) {}

  layer(index: number): Layer {
    let found = this.#found.get(index);
    if (!found) this.#found.set(index, (found = this.#unpacked(index)));
    return found;
  }

  #unpacked(index: number): Layer {
    const kept = this.carried.layers[index];
    const size = this.carried.tokens.length;
    const width = this.carried.keys?.length ?? size;
    if (!kept) throw new RangeError(`no layer ${index}`);
    if ("pattern" in kept) return given(kept, size, width);
    const rule = kept.rule === null ? undefined : this.carried.rules[kept.rule];
    const bias = kept.bias === null ? undefined : this.carried.biases[kept.bias];
    return rebuilt(kept, [size, width], rule, bias);
  }
}

/** `size` tokens look, `width` are looked at. */
function given({ pattern }: Given, size: number, width: number): Layer {
  const weights = floats(pattern);
  return {
    row(head, row, first, end, into) {
      const start = (head * size + row) * width;
      into.set(weights.subarray(start + first, start + end));
    },
  };
}

type Size = readonly [queries: number, keys: number];

function rebuilt(kept: Kept, size: Size, rule: Rule | undefined, bias: Added | undefined): Layer {
  const [numQueries, numKeys] = size;
  const { softcap, uniform_when_blind } = kept;
  const query = floats(kept.query);
  const key = floats(kept.key);
  const lse = floats(kept.lse);
  const [numHeads = 1, , width = 1] = kept.query.shape;
  const group = numHeads / (kept.key.shape[0] ?? 1);
  const scaling = Math.fround(kept.scaling);
  const sees = seen(rule, size);
  const added = addition(bias, size);
  const scaled = new Float32Array(width);
  const round = Math.fround;
  return {
    row(head, row, first, end, into) {
      const from = (head * numQueries + row) * width;
      for (let at = 0; at < width; at += 1) scaled[at] = (query[from + at] as number) * scaling;
      const below = lse[head * numQueries + row] as number;
      const blind = below === Infinity;
      const keys = Math.floor(head / group) * numKeys;
      for (let column = first; column < end; column += 1) {
        if (blind || !sees(head, row, column)) {
          into[column - first] = blind && uniform_when_blind ? 1 / numKeys : 0;
          continue;
        }
        let score = 0;
        const start = (keys + column) * width;
        for (let at = 0; at < width; at += 1) {
          // One fused multiply-add after another, each rounded, as the matrix product does it.
          score = round(score + (scaled[at] as number) * (key[start + at] as number));
        }
        if (softcap !== null) score = round(round(Math.tanh(round(score / softcap))) * softcap);
        if (added) score = round(score + added(head, row, column));
        into[column - first] = Math.exp(round(score - below));
      }
    },
  };
}

type Sees = (head: number, row: number, column: number) => boolean;

function seen(rule: Rule | undefined, [numQueries, numKeys]: Size): Sees {
  if (!rule) return () => true;
  if (rule.dense) {
    const dense = bits(rule.dense);
    const step = rule.dense.shape[0] === 1 ? 0 : numQueries * numKeys;
    return (head, row, column) => dense[head * step + row * numKeys + column] === 1;
  }
  const [diagonal, columns, free] = [bits(rule.diagonal), bits(rule.columns), bits(rule.free)];
  const steps = {
    diagonal: rule.diagonal.shape[0] === 1 ? 0 : numQueries + numKeys - 1,
    columns: rule.columns.shape[0] === 1 ? 0 : numKeys,
    free: rule.free.shape[0] === 1 ? 0 : numQueries,
  };
  return (head, row, column) =>
    free[head * steps.free + row] === 1 ||
    (diagonal[head * steps.diagonal + column - row + numQueries - 1] === 1 &&
      columns[head * steps.columns + column] === 1);
}

type Adds = (head: number, row: number, column: number) => number;

function addition(bias: Added | undefined, [numQueries, numKeys]: Size): Adds | null {
  if (bias?.dense) {
    const dense = floats(bias.dense);
    const step = bias.dense.shape[0] === 1 ? 0 : numQueries * numKeys;
    return (head, row, column) => dense[head * step + row * numKeys + column] as number;
  }
  if (bias?.columns) {
    const columns = floats(bias.columns);
    const step = bias.columns.shape[0] === 1 ? 0 : numKeys;
    return (head, _, column) => columns[head * step + column] as number;
  }
  if (bias?.diagonal) {
    const diagonal = floats(bias.diagonal);
    const step = bias.diagonal.shape[0] === 1 ? 0 : numQueries + numKeys - 1;
    return (head, row, column) =>
      diagonal[head * step + column - row + numQueries - 1] as number;
  }
  return null;
}
