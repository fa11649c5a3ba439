// What stands around the rooms names none of them. Which way imports point is held by
// tests/test_import_direction.py.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { ROOMS } from "../src/rooms";

const root = fileURLToPath(new URL("../src", import.meta.url));

describe("what names no room", () => {
  it.each(["App.svelte", "frame/Header.svelte", "state/rooms.svelte.ts"])("is %s", (name) => {
    const text = readFileSync(join(root, name), "utf-8");
    expect(ROOMS.filter((room) => text.includes(`"${room.name}"`) || text.includes(`./${room.name}/`))).toEqual([]);
  });
});
