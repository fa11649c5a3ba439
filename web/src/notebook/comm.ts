// Studio's answers, from the Python that shows the trace: each question is a message of its own,
// and its answer comes back with the same number, a block beside it where numbers are asked for.
//
//   → { question: "k3x-7", ask: "view", values: { address, head, rows, columns, … } }
//   ← { answer: "k3x-7", found: {…} }, a block in the buffers, or { answer, error: { code, … } }
import { readBlock, type Block } from "../protocol/block";
import { StudioError } from "../protocol/client";
import type { Source } from "../protocol/source";
import type { Arithmetic, ErrorBody, Studio, Trace } from "../protocol/types";
import type { Model } from "./model";

/** Python that has not answered for so long (in ms) is said to be waited for. */
export const SLOW = 2500;

interface Answer {
  answer?: string;
  found?: unknown;
  error?: ErrorBody["error"];
}

interface Waiting {
  resolve(answer: { found: unknown; buffers: readonly DataView[] }): void;
  reject(problem: unknown): void;
}

export class Comm {
  readonly #waiting = new Map<string, Waiting>();
  /** Of one view among all those of a model, which all hear every answer. */
  readonly #name = Math.random().toString(36).slice(2);
  #asked = 0;
  #slow: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: Model,
    /** Told when answers are waited for longer than usual, and when they have come. */
    private readonly late: (late: boolean) => void = () => undefined,
  ) {
    model.on("msg:custom", this.#hear);
  }

  /** Nobody looks any more: what is still open is dropped. */
  close(): void {
    this.model.off("msg:custom", this.#hear);
    clearTimeout(this.#slow);
    for (const { reject } of this.#waiting.values()) reject(aborted());
    this.#waiting.clear();
  }

  async found<T>(ask: string, values: object, signal?: AbortSignal): Promise<T> {
    return (await this.#ask(ask, values, signal)).found as T;
  }

  async block(ask: string, values: object, signal?: AbortSignal): Promise<Block> {
    return readBlock(await this.bytes(ask, values, signal));
  }

  async bytes(ask: string, values: object, signal?: AbortSignal): Promise<ArrayBuffer> {
    const [view] = (await this.#ask(ask, values, signal)).buffers;
    if (!view) throw new StudioError("unexpected", {}, 0, `${ask}: an answer without a block`);
    // Hosts hand on a view of a larger buffer; a block begins at its first byte.
    const { buffer, byteOffset, byteLength } = view;
    return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  }

  #ask(
    ask: string,
    values: object,
    signal?: AbortSignal,
  ): Promise<{ found: unknown; buffers: readonly DataView[] }> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      const question = `${this.#name}-${(this.#asked += 1)}`;
      this.#waiting.set(question, { resolve, reject });
      signal?.addEventListener("abort", () => {
        this.#settle(question)?.reject(aborted());
      });
      this.#slow ??= setTimeout(() => this.late(true), SLOW);
      this.model.send({ question, ask, values });
    });
  }

  readonly #hear = (said: Answer, buffers: readonly DataView[] = []): void => {
    const open = this.#settle(said.answer ?? "");
    if (!open) return; // another view's, or one that nobody waits for
    if (said.error) {
      const { code, values, message } = said.error;
      open.reject(new StudioError(code, values, 0, message));
    } else open.resolve({ found: said.found, buffers });
  };

  #settle(question: string): Waiting | undefined {
    const open = this.#waiting.get(question);
    this.#waiting.delete(question);
    if (this.#waiting.size === 0 && this.#slow !== undefined) {
      clearTimeout(this.#slow);
      this.#slow = undefined;
      this.late(false);
    }
    return open;
  }
}

function aborted(): DOMException {
  return new DOMException("nobody waits any more", "AbortError");
}

/** The source that asks Python. */
export function overComm(comm: Comm, views: readonly string[]): Source {
  return {
    fixed: true,
    connection: null,
    views,
    getStudio: () => comm.found<Studio>("studio", {}),
    postTrace: (_, __, signal) => comm.found<Trace>("trace", {}, signal),
    getTrace: null,
    postTraceFile: null,
    getPicture: async () => new Blob([await comm.bytes("picture", {})], { type: "image/png" }),
    getPooled: (_, __, signal) => comm.block("pooled", {}, signal),
    getView: (_, view, signal) => comm.block("view", view, signal),
    getArithmetic: views.includes("arithmetic")
      ? (_, cell, signal) => comm.found<Arithmetic>("arithmetic", cell, signal)
      : null,
    getQueryKey: views.includes("components")
      ? (_, question, signal) => comm.block("query_key", question, signal)
      : null,
    filePath: () => null,
    getPage: null,
  };
}
