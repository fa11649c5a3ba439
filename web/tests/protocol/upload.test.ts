import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ServerGone, StudioError } from "../../src/protocol/client";
import { upload, type Sent } from "../../src/protocol/upload";

// What the browser does with a request is the outside of this module: here it is done by hand.
class Request {
  static last: Request;
  upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  status = 0;
  responseText = "";
  headers: Record<string, string> = {};
  asked: string[] = [];

  constructor() {
    Request.last = this;
  }

  open(method: string, path: string): void {
    this.asked = [method, path];
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  send(): void {}

  abort(): void {
    this.onabort?.();
  }

  answer(status: number, body: unknown): void {
    this.status = status;
    this.responseText = typeof body === "string" ? body : JSON.stringify(body);
    this.onload?.();
  }
}

beforeEach(() => vi.stubGlobal("XMLHttpRequest", Request));
afterEach(() => vi.unstubAllGlobals());

const file = new File(["abcdefgh"], "libro.txt");

function begin(): { answered: Promise<unknown>; told: Sent[]; abort: AbortController } {
  const told: Sent[] = [];
  const abort = new AbortController();
  const answered = upload("/texts", file, "es", (sent) => told.push(sent), abort.signal);
  return { answered, told, abort };
}

describe("upload", () => {
  it("tells how much has gone, and gives the answer", async () => {
    const { answered, told } = begin();
    expect(Request.last.asked).toEqual(["POST", "/texts"]);
    expect(Request.last.headers["Accept-Language"]).toBe("es");
    for (const loaded of [3, 8]) Request.last.upload.onprogress?.({ loaded });
    Request.last.answer(200, { id: "uploaded.libro.txt" });
    expect(await answered).toEqual({ id: "uploaded.libro.txt" });
    expect(told).toEqual([
      { bytes: 3, of: 8 },
      { bytes: 8, of: 8 },
    ]);
  });

  it("fails with what Studio says", async () => {
    const { answered } = begin();
    const values = { name: "libro.txt", position: 3 };
    Request.last.answer(422, { error: { code: "upload_not_utf8", values, message: "…" } });
    const problem: unknown = await answered.catch((reason: unknown) => reason);
    expect(problem).toBeInstanceOf(StudioError);
    expect(problem).toMatchObject({ code: "upload_not_utf8", values, status: 422 });
  });

  it("tells a server that is gone", async () => {
    const lost = begin();
    Request.last.onerror?.();
    await expect(lost.answered).rejects.toBeInstanceOf(ServerGone);
    const proxied = begin();
    Request.last.answer(502, "<html>Bad gateway</html>");
    await expect(proxied.answered).rejects.toBeInstanceOf(ServerGone);
  });

  it("ends as an abort where it is cancelled", async () => {
    const { answered, abort } = begin();
    abort.abort();
    await expect(answered).rejects.toMatchObject({ name: "AbortError" });
  });
});
