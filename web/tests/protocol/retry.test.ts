import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { connection } from "../../src/protocol/connection.svelte";
import { Retry, RETRY_EVERY } from "../../src/protocol/retry";

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

describe("a question asked again", () => {
  it("is asked again once, when Studio is back", () => {
    const again = question();
    new Retry(connection).whenBack(again, false);
    expect(again).not.toHaveBeenCalled();
    connection.answered();
    connection.lost();
    connection.answered();
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("is asked again once, after a while", () => {
    const again = question();
    new Retry(connection).later(again, false);
    vi.advanceTimersByTime(RETRY_EVERY - 1);
    expect(again).not.toHaveBeenCalled();
    vi.advanceTimersByTime(3 * RETRY_EVERY);
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("is the newest only", () => {
    const [retry, older, newer] = [new Retry(connection), question(), question()];
    retry.whenBack(older, true);
    retry.later(newer, true);
    connection.answered();
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(older).not.toHaveBeenCalled();
    expect(newer).toHaveBeenCalledTimes(1);
  });

  it("stays a text where a head of the text before it fails as well", () => {
    const [retry, text, head] = [new Retry(connection), question(), question()];
    retry.whenBack(text, true);
    retry.whenBack(head, false);
    retry.later(head, false);
    connection.answered();
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(text).toHaveBeenCalledTimes(1);
    expect(head).not.toHaveBeenCalled();
  });

  it("is nothing any more once it is asked again", () => {
    const [retry, text, head] = [new Retry(connection), question(), question()];
    retry.whenBack(text, true);
    connection.answered();
    retry.later(head, false);
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(head).toHaveBeenCalledTimes(1);
  });

  it("can be forgotten", () => {
    const [retry, again] = [new Retry(connection), question()];
    retry.whenBack(again, true);
    retry.forget();
    retry.later(again, true);
    retry.forget();
    connection.answered();
    vi.advanceTimersByTime(RETRY_EVERY);
    expect(again).not.toHaveBeenCalled();
  });
});
