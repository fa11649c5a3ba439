import { afterEach, describe, expect, it, vi } from "vitest";

import { ServerGone, StudioError } from "../../src/protocol/client";
import { stream, textLines } from "../../src/write/client";
import type { StreamQuestion } from "../../src/write/types";

/** A body that comes in these pieces, and then ends or breaks. */
function body(pieces: Uint8Array[], breaks = false): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const next = pieces.shift();
      if (next) controller.enqueue(next);
      else if (breaks) controller.error(new TypeError("network error"));
      else controller.close();
    },
  });
}

async function all(found: AsyncGenerator<unknown>): Promise<unknown[]> {
  const lines = [];
  for await (const line of found) lines.push(line);
  return lines;
}

const bytes = new TextEncoder().encode('{"a":"niño"}\n{"b":"🎉"}\n');

afterEach(() => vi.unstubAllGlobals());

describe("lines", () => {
  it("are whole, wherever they were cut", async () => {
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const pieces = [bytes.slice(0, cut), bytes.slice(cut)];
      expect(await all(textLines(body(pieces)))).toEqual(['{"a":"niño"}', '{"b":"🎉"}']);
    }
  });

  it("that break off are a server that is gone", async () => {
    await expect(all(textLines(body([bytes], true)))).rejects.toBeInstanceOf(ServerGone);
    await expect(all(textLines(body([bytes.slice(0, 20)])))).rejects.toBeInstanceOf(ServerGone);
  });

  it("may say what went wrong on the way", async () => {
    const error = { error: { code: "studio_busy", values: {}, message: "…" } };
    const text = new TextEncoder().encode(`{"end":"length","kept":null}\n${JSON.stringify(error)}\n`);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(body([text]))));
    const found = stream({} as StreamQuestion, new AbortController().signal);
    expect((await found.next()).value).toEqual({ end: "length", kept: null });
    const problem = await found.next().catch((caught: unknown) => caught);
    expect(problem).toBeInstanceOf(StudioError);
    expect(problem).toMatchObject({ code: "studio_busy" });
  });
});
