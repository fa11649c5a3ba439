import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { inTurn, type Before } from "../../src/protocol/queue";

beforeEach(() => void vi.useFakeTimers());

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Studio answers these places, one after the other; the paths asked are returned. */
function places(...told: Before[]): string[] {
  const paths: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    paths.push(path);
    return Promise.resolve(new Response(JSON.stringify({ before: told.shift() ?? null })));
  });
  return paths;
}

function after(milliseconds: number, answer: string): Promise<string> {
  return new Promise((done) => setTimeout(() => done(answer), milliseconds));
}

describe("inTurn", () => {
  it("tells nothing of a question that is answered soon", async () => {
    const paths = places();
    const told: Before[] = [];
    const asked = inTurn(() => after(300, "a"), (n) => void told.push(n), new AbortController().signal);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await asked).toBe("a");
    expect(paths).toEqual([]);
    expect(told).toEqual([null]);
  });

  it("tells the place of its own ticket until the answer is there", async () => {
    const paths = places(2, 1, 0);
    const told: Before[] = [];
    let ticket = "";
    const question = (headers: Record<string, string>): Promise<string> => {
      ticket = headers["Vitral-Ticket"] ?? "";
      return after(2900, "a");
    };
    const asked = inTurn(question, (n) => void told.push(n), new AbortController().signal);
    await vi.advanceTimersByTimeAsync(9000);
    expect(await asked).toBe("a");
    expect(ticket).toMatch(/^[0-9a-f]{24}-\d+$/);
    expect(paths).toEqual([1, 2, 3].map(() => `/api/queue/${ticket}`));
    expect(told).toEqual([2, 1, 0, null]);
  });

  it("has another ticket each time, and is silent once nobody waits", async () => {
    places(3, 3, 3);
    const told: Before[] = [];
    const tickets = new Set<string>();
    const stop = new AbortController();
    const question = (headers: Record<string, string>): Promise<string> => {
      tickets.add(headers["Vitral-Ticket"] ?? "");
      return new Promise((_, fail) =>
        stop.signal.addEventListener("abort", () => fail(new DOMException("", "AbortError"))),
      );
    };
    const asked = [1, 2].map(() => inTurn(question, (n) => void told.push(n), stop.signal));
    stop.abort();
    await Promise.allSettled(asked);
    await vi.advanceTimersByTimeAsync(5000);
    expect(told).toEqual([]);
    expect(tickets.size).toBe(2);
  });

  it("leaves it to the question to say what went wrong", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const told: Before[] = [];
    const asked = inTurn(() => after(600, "a"), (n) => void told.push(n), new AbortController().signal);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await asked).toBe("a");
    expect(told).toEqual([null, null]);
  });
});
