// The register of the rooms: what is outside a room knows it from there alone. (That imports point
// downwards, and from no room to another, is for tests/test_import_direction.py to hold.)
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { areas } from "../message_areas.js";
import { ROOMS } from "../src/rooms";

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../src/${name}`, import.meta.url));
}

describe("a room", () => {
  it.each(ROOMS)("like $name has a folder, a path, and areas of messages of its own", (room) => {
    expect(existsSync(pathOf(room.name))).toBe(true);
    expect(ROOMS.filter(({ path }) => path === room.path)).toEqual([room]);
    expect(room.messages.filter((area) => !areas().includes(area))).toEqual([]);
    expect(room.messages).toContain(room.name);
  });
});

describe("what names no room", () => {
  it.each(["App.svelte", "frame/Header.svelte", "state/rooms.svelte.ts"])("is %s", (name) => {
    const text = readFileSync(pathOf(name), "utf-8");
    const named = ROOMS.filter((room) => text.includes(`"${room.name}"`) || text.includes(`/${room.name}/`));
    expect(named).toEqual([]);
  });
});
