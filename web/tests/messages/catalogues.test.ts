// The sentences of the page: every key used exists in both languages and in an area that is at hand
// where it is used, every key that exists is used, and no sentence stands in a component.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "svelte/compiler";
import { describe, expect, it } from "vitest";

import { areaOf, areas } from "../../message_areas.js";
import { ROOMS } from "../../src/rooms";

const root = fileURLToPath(new URL("../../src", import.meta.url));
const sources = readdirSync(root, { recursive: true, encoding: "utf-8" })
  .filter((name) => /\.(svelte|ts)$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(root, name), "utf-8") }));

function joined(language: string): Record<string, string> {
  return Object.assign({}, ...areas().map((area) => areaOf(area, language))) as Record<string, string>;
}

const [en, es] = [joined("en"), joined("es")];

function keysIn(text: string): string[] {
  return [...text.matchAll(/"(studio\.[a-z_]+)"/g)].map((found) => found[1] ?? "");
}

const used = new Set(sources.flatMap(({ text }) => keysIn(text)));

/** The page's frame is everywhere; a trace, on whatever page, brings what it says; so does a room. */
const FRAME = ["studio"];
const OF_TRACES = [...FRAME, "trace"];
const AT_HAND: Record<string, readonly string[]> = {
  trace: OF_TRACES,
  notebook: OF_TRACES,
  page: OF_TRACES,
  ...Object.fromEntries(ROOMS.map(({ name, messages }) => [name, [...FRAME, ...messages]])),
};
/** Titles of bundled models, named by the model. */
const byName = /^studio\.model\./;

function placeholders(template: string): string[] {
  return [...template.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();
}

describe("the catalogues", () => {
  it("hold every key that the page uses", () => {
    expect([...used].filter((key) => !(key in en) || !(key in es))).toEqual([]);
  });

  it("hold each key once", () => {
    const all = areas().flatMap((area) => Object.keys(areaOf(area, "en")));
    expect(all.filter((key, at) => all.indexOf(key) !== at)).toEqual([]);
  });

  it.each(sources)("of $name are those at hand there", ({ name, text }) => {
    const folder = /^(\w+)\//.exec(name)?.[1] ?? "";
    const there = new Set((AT_HAND[folder] ?? FRAME).flatMap((area) => Object.keys(areaOf(area, "en"))));
    expect(keysIn(text).filter((key) => !there.has(key))).toEqual([]);
  });

  it("hold no key that the page does not use", () => {
    const ours = Object.keys(en).filter((key) => key.startsWith("studio.") && !byName.test(key));
    expect(ours.filter((key) => !used.has(key))).toEqual([]);
  });

  it("fill the same placeholders in both languages", () => {
    const shown = Object.keys(en).filter((key) => /^(studio|error)\./.test(key));
    for (const key of shown) {
      expect([key, placeholders(es[key] ?? "")]).toEqual([key, placeholders(en[key] ?? "")]);
    }
  });
});

interface Node {
  type?: string;
  data?: string;
  name?: string;
  value?: unknown;
}

/** Text that is shown or read aloud and holds a letter: a sentence that no catalogue knows. */
function sentences(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const child of node) sentences(child, found);
  else if (typeof node === "object" && node !== null) {
    const { type, data, name, value } = node as Node;
    if (type === "Text" && data !== undefined && /\p{L}/u.test(data)) found.push(data.trim());
    if (type === "StyleDirective") return found;
    if (type === "Attribute") {
      return /^(aria-label|title|placeholder|alt)$/.test(name ?? "") ? sentences(value, found) : found;
    }
    for (const child of Object.values(node)) sentences(child, found);
  }
  return found;
}

describe("components", () => {
  it.each(sources.filter(({ name }) => name.endsWith(".svelte")))("$name says nothing by itself", ({ text }) => {
    const said = sentences(parse(text, { modern: true }).fragment);
    expect(said.filter((words) => words !== "Vitral")).toEqual([]);
  });
});
