// The Write room's questions to Studio; they fail as those of protocol/client.ts do.
import { readBlock } from "../protocol/block";
import { ask, ServerGone, StudioError } from "../protocol/client";
import type { ErrorBody } from "../protocol/types";
import type {
  ColumnLine,
  EndLine,
  Look,
  LookQuestion,
  NewestLine,
  RaceQuestion,
  StreamQuestion,
  Vocabulary,
} from "./types";

/** A look's numbers stand after its header, which says how many of each kind there are. */
type LookHeader = Omit<Look, "logits" | "cross" | "row"> & { vocabulary: number; cross: number };

function post(path: string, question: object, signal: AbortSignal): Promise<Response> {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
    signal,
  });
}

/** An answer that breaks off is a server that is gone; one that nobody waits for is neither. */
function broken(problem: unknown): unknown {
  if (problem instanceof DOMException && problem.name === "AbortError") return problem;
  return new ServerGone(String(problem));
}

export async function look(question: LookQuestion, signal: AbortSignal): Promise<Look> {
  const response = await post("/api/writing/next-token", question, signal);
  const buffer = await response.arrayBuffer().catch((problem: unknown) => {
    throw broken(problem);
  });
  const { header, values } = readBlock(buffer);
  const { vocabulary, cross, ...rest } = header as unknown as LookHeader;
  const numbers = values as Float32Array;
  return {
    ...rest,
    logits: numbers.subarray(0, vocabulary),
    cross: numbers.subarray(vocabulary, vocabulary + cross),
    row: numbers.subarray(vocabulary + cross),
  };
}

export async function vocabulary(model: string, signal: AbortSignal): Promise<Vocabulary> {
  const path = `/api/writing/vocabulary?${new URLSearchParams({ model })}`;
  return (await (await ask(path, { signal })).json()) as Vocabulary;
}

export function stream(
  question: StreamQuestion,
  signal: AbortSignal,
): AsyncGenerator<NewestLine | EndLine> {
  return lines<NewestLine | EndLine>("/api/writing/stream", question, signal);
}

export function race(question: RaceQuestion, signal: AbortSignal): AsyncGenerator<ColumnLine> {
  return lines<ColumnLine>("/api/writing/race", question, signal);
}

async function* lines<Line extends object>(
  path: string,
  question: object,
  signal: AbortSignal,
): AsyncGenerator<Line> {
  const response = await post(path, question, signal);
  if (!response.body) throw new ServerGone("no body");
  for await (const text of textLines(response.body)) {
    const line = JSON.parse(text) as Line | ErrorBody;
    if ("error" in line) {
      const { code, values, message } = line.error;
      throw new StudioError(code, values, response.status, message);
    }
    yield line;
  }
}

/** The lines of a body as they come, whichever way it was cut on its way. */
export async function* textLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((problem: unknown) => {
        throw broken(problem);
      });
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const found = rest.split("\n");
      rest = found.pop() ?? "";
      for (const line of found) if (line !== "") yield line;
      if (done) {
        if (rest !== "") throw new ServerGone("cut off in mid-line");
        return;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
