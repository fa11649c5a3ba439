import { describe, expect, it } from "vitest";

import { wrapped } from "../../../src/trace/sharing/picture";
import { fileName } from "../../../src/trace/sharing/save";

const letters = (text: string): number => text.length;

describe("a title", () => {
  it("is broken between words", () => {
    expect(wrapped("uno dos tres cuatro", 8, 4, letters)).toEqual(["uno dos", "tres", "cuatro"]);
  });

  it("ends with a sign where it is longer than its lines", () => {
    expect(wrapped("uno dos tres cuatro", 8, 2, letters)).toEqual(["uno dos", "tres…"]);
    expect(wrapped("uno", 8, 2, letters)).toEqual(["uno"]);
  });

  it("shortens a word that is wider than the picture", () => {
    expect(wrapped("esternocleidomastoideo", 8, 2, letters)).toEqual(["esterno…"]);
  });
});

describe("a file's name", () => {
  it("says what the file shows, in letters that every file system takes", () => {
    expect(fileName(["modelo español/v2", "cross", "layer1", "", "map"], "svg")).toBe(
      "vitral-modelo-espanol-v2-cross-layer1-map.svg",
    );
    expect(fileName(["vitral-es-bert"], "html")).toBe("vitral-es-bert.html");
    expect(fileName(["../../etc"], "png")).toBe("vitral-etc.png");
    expect(fileName([], "png")).toBe("vitral.png");
  });
});
