import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Owed, RETRY_EVERY } from "../../src/explore/owed";
import { connection } from "../../src/protocol/connection.svelte";

const question = () => vi.fn(() => Promise.resolve());

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  connection.lost();
});

afterEach(() => {
  connection.answered();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("what is owed", () => {
  it("is asked again once, when Studio is back", () => {
    const again = question();
    new Owed().whenBack(again, false);
    expect(again).not.toHaveBeenCalled();
    connection.answered();
    connection.lost();
    connection.answered();
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("is asked again once, after a while", () => {
    const again = question();
    new Owed().later(again, false);
    vi.advanceTimersByTime(RETRY_EVERY - 1);
    expect(again).not.toHaveBeenCalled();
    vi.advanceTimersByTime(3 * RETRY_EVERY);
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("is the newest only", () => {
    const [owed, older, newer] = [new Owed(), question(), question()];
    owed.whenBack(older, true);
    owed.later(newer, true);
    connection.answered();
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(older).not.toHaveBeenCalled();
    expect(newer).toHaveBeenCalledTimes(1);
  });

  it("stays a text where a head of the text before it fails as well", () => {
    const [owed, text, head] = [new Owed(), question(), question()];
    owed.whenBack(text, true);
    owed.whenBack(head, false);
    owed.later(head, false);
    connection.answered();
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(text).toHaveBeenCalledTimes(1);
    expect(head).not.toHaveBeenCalled();
  });

  it("is nothing any more once it is asked again", () => {
    const [owed, text, head] = [new Owed(), question(), question()];
    owed.whenBack(text, true);
    connection.answered();
    owed.later(head, false);
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(head).toHaveBeenCalledTimes(1);
  });

  it("can be forgotten", () => {
    const [owed, again] = [new Owed(), question()];
    owed.whenBack(again, true);
    owed.forget();
    owed.later(again, true);
    owed.forget();
    connection.answered();
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(again).not.toHaveBeenCalled();
  });
});
