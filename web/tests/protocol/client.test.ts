import { afterEach, describe, expect, it, vi } from "vitest";

import { getStudio, postTrace, ServerGone, StudioError, viewPath } from "../../src/protocol/client";

// What the network answers is the outside of this module: here it is said by hand.
function answer(body: unknown, status: number): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(text, { status })));
}

afterEach(() => vi.unstubAllGlobals());

const question = { model: "vitral-es-bert", text: "Hola", answer: null };

describe("answers", () => {
  it("gives code and values of an error", async () => {
    const values = { length: 300, context: 256, model: "vitral-es-bert" };
    answer({ error: { code: "text_too_long", values, message: "…" } }, 422);
    const problem = await postTrace(question, "es", new AbortController().signal).catch((e) => e);
    expect(problem).toBeInstanceOf(StudioError);
    expect(problem).toMatchObject({ code: "text_too_long", values, status: 422 });
  });

  it("tells a server that is gone from one that says no", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(getStudio()).rejects.toBeInstanceOf(ServerGone);
    answer("<html>Bad gateway</html>", 502);
    await expect(getStudio()).rejects.toBeInstanceOf(ServerGone);
    answer({ error: { code: "studio_closing", values: {}, message: "…" } }, 503);
    await expect(getStudio()).rejects.toBeInstanceOf(ServerGone);
    answer("<html>No</html>", 403);
    await expect(getStudio()).rejects.toBeInstanceOf(StudioError);
  });

  it("lets an aborted question stay an abort", async () => {
    const abort = new DOMException("stop", "AbortError");
    vi.stubGlobal("fetch", () => Promise.reject(abort));
    await expect(getStudio()).rejects.toBe(abort);
  });
});

describe("viewPath", () => {
  it("asks as docs/studio-api.md says", () => {
    const view = {
      address: "layers.5.attention.pattern",
      head: 2,
      rows: [0, 64],
      columns: [64, 128],
      height: 64,
      width: 64,
    } as const;
    expect(viewPath("ab12", view)).toBe(
      "/api/traces/ab12/view?address=layers.5.attention.pattern&head=2" +
        "&rows=0%3A64&columns=64%3A128&height=64&width=64&reduction=mean",
    );
  });
});
