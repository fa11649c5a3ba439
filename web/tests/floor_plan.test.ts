// The floor plan of web/src: imports point downwards, and no room knows of another.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { ROOMS } from "../src/rooms";

const root = fileURLToPath(new URL("../src", import.meta.url));
const names = readdirSync(root, { recursive: true, encoding: "utf-8" }).filter((name) =>
  /\.(svelte|ts)$/.test(name),
);

/** From the ground up. What stands on one floor may use what is below, and itself. */
const FLOORS = [
  ["messages"],
  ["design"],
  ["protocol"],
  ["state"],
  ["frame"],
  ["trace"],
  [...ROOMS.map(({ name }) => name), "notebook", "page"],
] as const;

interface Import {
  from: string;
  to: string;
  /** Types leave nothing behind when the page is built. */
  ofTypes: boolean;
  /** Fetched when it is needed. */
  later: boolean;
}

const STATEMENT = /(import|export)\s+(type\s)?[^;"']*?\sfrom\s+"(\.[^"]+)"|import\s*\(\s*"(\.[^"]+)"\s*\)|import\s+"(\.[^"]+)"/g;

function importsOf(name: string): Import[] {
  const text = readFileSync(join(root, name), "utf-8");
  return [...text.matchAll(STATEMENT)].map((found) => {
    const [, , types, from, fetched, effect] = found;
    const path = normalize(join(dirname(name), from ?? fetched ?? effect ?? "")).replace(/\?.*$/, "");
    const to = [path, `${path}.ts`].find((each) => names.includes(each)) ?? path;
    return { from: name, to, ofTypes: types !== undefined, later: fetched !== undefined };
  });
}

const imports = names.flatMap(importsOf);

function floorOf(name: string): number {
  const folder = name.includes("/") ? name.slice(0, name.indexOf("/")) : "";
  const floor = FLOORS.findIndex((each) => (each as readonly string[]).includes(folder));
  return floor < 0 ? FLOORS.length : floor; // the page itself stands on top
}

describe("imports", () => {
  it("are found", () => {
    expect(imports.length).toBeGreaterThan(500);
    expect(imports.filter(({ to }) => !names.includes(to) && !to.endsWith(".css"))).toEqual([]);
  });

  it("point downwards", () => {
    expect(imports.filter(({ from, to }) => floorOf(to) > floorOf(from))).toEqual([]);
  });

  it("lead from no room into another", () => {
    const folder = (name: string): string => name.split("/")[0] ?? "";
    const top = FLOORS.length - 1;
    const sideways = imports.filter(
      ({ from, to }) => floorOf(from) === top && floorOf(to) === top && folder(from) !== folder(to),
    );
    expect(sideways).toEqual([]);
  });

  it("run in no circle, types and what is fetched later apart", () => {
    const after = new Map<string, string[]>();
    for (const { from, to, ofTypes, later } of imports) {
      if (!ofTypes && !later) after.set(from, [...(after.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (name: string, way: readonly string[]): void => {
      if (way.includes(name)) {
        circles.push([...way.slice(way.indexOf(name)), name].join(" → "));
        return;
      }
      if (done.has(name)) return;
      for (const next of after.get(name) ?? []) walk(next, [...way, name]);
      done.add(name);
    };
    names.forEach((name) => walk(name, []));
    expect(circles).toEqual([]);
  });
});

describe("what names no room", () => {
  it.each(["App.svelte", "frame/Header.svelte", "state/rooms.svelte.ts"])("is %s", (name) => {
    const text = readFileSync(join(root, name), "utf-8");
    expect(ROOMS.filter((room) => text.includes(`"${room.name}"`) || text.includes(`./${room.name}/`))).toEqual([]);
  });
});
