import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { getPooled, getStudio, ServerGone } from "../../src/protocol/client";
import { connection } from "../../src/protocol/connection.svelte";

const ok = (): Promise<Response> => Promise.resolve(new Response("{}"));
const nobody = (): Promise<Response> => Promise.reject(new TypeError("Failed to fetch"));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", ok);
  connection.answered();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("connection", () => {
  it("is lost with one question and back with the next answer to any", async () => {
    vi.stubGlobal("fetch", nobody);
    await expect(getStudio()).rejects.toBeInstanceOf(ServerGone);
    expect(connection.gone).toBe(true);
    vi.stubGlobal("fetch", ok);
    await getStudio();
    expect(connection.gone).toBe(false);
  });

  it("comes back by itself, and tells each who waits once", async () => {
    const [again, withdrawn] = [vi.fn(), vi.fn()];
    vi.stubGlobal("fetch", nobody);
    await getStudio().catch(() => {});
    connection.whenBack(again);
    connection.whenBack(withdrawn)();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(again).not.toHaveBeenCalled();
    vi.stubGlobal("fetch", ok);
    await vi.advanceTimersByTimeAsync(2500);
    expect(connection.gone).toBe(false);
    expect(again).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(again).toHaveBeenCalledTimes(1);
    expect(withdrawn).not.toHaveBeenCalled();
  });

  it("is lost as well by an answer that breaks off", async () => {
    const broken = new Response(
      new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) }),
    );
    vi.stubGlobal("fetch", () => Promise.resolve(broken));
    const asked = getPooled("ab12", "", new AbortController().signal);
    await expect(asked).rejects.toBeInstanceOf(ServerGone);
    expect(connection.gone).toBe(true);
  });

  it("asks at once when told to", async () => {
    connection.lost();
    await connection.ask();
    expect(connection.gone).toBe(false);
  });
});
