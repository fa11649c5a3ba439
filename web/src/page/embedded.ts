// The answers of a page that carries its own trace: the same as Studio's, without asking anybody.
import type { Block } from "../protocol/block";
import type { ViewQuestion } from "../protocol/client";
import { withPieces } from "../protocol/pieces";
import type { Source } from "../protocol/source";
import type { ModelCard, Part, Studio, Trace } from "../protocol/types";
import { patternOf } from "../trace/pattern_address";
import { bytes, type Carried } from "./carried";
import { Layers } from "./rebuilt";

/** After so many milliseconds of arithmetic the browser gets its turn. */
const AT_A_TIME = 40;

export function embedded(carried: Carried): Source {
  const layers = new Layers(carried);
  const { model, title, text, num_layers, num_heads, causal, address } = carried;
  const tokens = withPieces(carried.tokens);
  const keys = carried.keys && withPieces(carried.keys);
  const part: Part = {
    name: carried.part,
    num_layers,
    layers: carried.layers.flatMap((kept, layer) => (kept ? [layer] : [])),
    num_heads,
    causal,
    address,
    queries: keys ? "decoder_tokens" : "tokens",
    keys: "tokens",
    num_queries: tokens.length,
    num_keys: (keys ?? tokens).length,
    computed: false, // the page holds no values
  };
  const trace: Trace = {
    id: "page",
    model,
    text,
    num_layers,
    num_heads,
    causal,
    parts: [part],
    num_tokens: (keys ?? tokens).length,
    surface: carried.surface ?? null,
    tokens: keys ?? tokens,
    decoder_tokens: keys ? tokens : [],
    answer: null,
    edits: [],
    reading: carried.reading ?? "",
    opened: null,
    pooled_size: carried.pooled.values.shape[3] ?? 0,
    seconds: 0,
  };
  const card: ModelCard = {
    name: model,
    title,
    kind: causal ? "decoder" : "encoder",
    reads: carried.surface ? "picture" : "text",
    num_layers,
    num_heads,
    context: null,
    architecture: "",
    bundled: false,
    chats: false,
  };
  const studio: Studio = {
    version: carried.made_with,
    default_model: model,
    default_text: text,
    max_text_bytes: 0,
    max_tokens: tokens.length,
    max_trace_file_bytes: 0,
    max_picture_bytes: 0,
    models: [card],
  };
  return {
    fixed: true,
    connection: null,
    getStudio: () => Promise.resolve(studio),
    postTrace: () => Promise.resolve(trace),
    getTrace: null,
    postTraceFile: null,
    getPicture: () => {
      const png = bytes({ base64: carried.surface?.png ?? "" });
      return Promise.resolve(new Blob([png], { type: "image/png" }));
    },
    getPooled: () => {
      const { values, scale, aggregated } = carried.pooled;
      const header = { dtype: "uint8" as const, shape: values.shape, aggregated, scale };
      return Promise.resolve({ header, values: bytes(values) });
    },
    getView: (_, view, signal) => cells(layers, view, signal),
    getArithmetic: null,
    getQueryKey: null,
    getStrongest: null,
    filePath: () => null,
    getPage: null,
  };
}

/** A view's block: exact where its cells suffice, else each the mean of those it stands for, or
 * their greatest. */
async function cells(layers: Layers, view: ViewQuestion, signal: AbortSignal): Promise<Block> {
  const layer = layers.layer(patternOf(view.address)?.layer ?? -1);
  const { cell } = view;
  const greatest = view.reduction === "max";
  const [rows, columns] = cell
    ? [edgesOfSize(view.rows, cell), edgesOfSize(view.columns, cell)]
    : [edges(view.rows, view.height), edges(view.columns, view.width)];
  const [height, width] = [rows.length - 1, columns.length - 1];
  const [first, end] = view.columns;
  const aggregated = view.rows[1] - view.rows[0] > height || end - first > width;
  const values = new Float32Array(height * width);
  const line = new Float32Array(end - first);
  let began = performance.now();
  for (let down = 0; down < height; down += 1) {
    const [top, bottom] = [rows[down] as number, rows[down + 1] as number];
    const sums = new Float64Array(width);
    for (let row = top; row < bottom; row += 1) {
      layer.row(view.head, row, first, end, line);
      if (!aggregated) continue;
      for (let at = 0; at < width; at += 1) {
        const last = (columns[at + 1] as number) - first;
        for (let column = (columns[at] as number) - first; column < last; column += 1) {
          const [before, value] = [sums[at] as number, line[column] as number];
          sums[at] = greatest ? Math.max(before, value) : before + value;
        }
      }
    }
    if (aggregated) {
      for (let at = 0; at < width; at += 1) {
        const size = (bottom - top) * ((columns[at + 1] as number) - (columns[at] as number));
        values[down * width + at] = (sums[at] as number) / (greatest ? 1 : size);
      }
    } else values.set(line, down * width);
    if (performance.now() - began > AT_A_TIME) {
      await new Promise((resolve) => setTimeout(resolve));
      signal.throwIfAborted();
      began = performance.now();
    }
  }
  return { header: { dtype: "float32", shape: [height, width], aggregated }, values };
}

/** Where cells of just so many begin, and the last, perhaps narrower, one ends. */
export function edgesOfSize([first, last]: readonly [number, number], size: number): number[] {
  const count = Math.ceil((last - first) / size);
  return [...Array.from({ length: count }, (_, cell) => first + cell * size), last];
}

/** Where each of at most `most` cells begins, and the last ends: as in vitral.tracing.view. */
export function edges([first, last]: readonly [number, number], most: number): number[] {
  const length = last - first;
  const num = Math.min(most, length);
  return Array.from({ length: num + 1 }, (_, cell) => first + Math.floor((cell * length) / num));
}
