// A Vite plugin: the page's share of the message catalogues.
//
// The catalogues belong to the Python package (src/vitral/assets/messages/<area>.<language>.json,
// one pair for each room and area), so that no sentence is written twice. The page needs what it says itself (studio.*) and what went
// wrong (error.*); the terminal's messages are left out of the script.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const LANGUAGES = ["en", "es"] as const;
const NAME = "virtual:messages";

const FOLDER = new URL("../src/vitral/assets/messages/", import.meta.url);

/** The files of one language, an area each. */
export function cataloguePaths(language: string): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(`.${language}.json`))
    .map((name) => fileURLToPath(new URL(name, FOLDER)));
}

/** All areas of one language, joined; a key that stands in two of them is a mistake. */
export function catalogueOf(language: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const path of cataloguePaths(language)) {
    const area = JSON.parse(readFileSync(path, "utf-8")) as Record<string, string>;
    for (const [key, text] of Object.entries(area)) {
      if (key in joined) throw new Error(`${path} repeats ${key}`);
      joined[key] = text;
    }
  }
  return joined;
}

function pageMessages(language: string, leftOut: RegExp): Record<string, string> {
  const ours = ([key]: [string, string]): boolean =>
    /^(studio|error)\./.test(key) && !leftOut.test(key);
  return Object.fromEntries(Object.entries(catalogueOf(language)).filter(ours));
}

/** What is said by the rooms and views that only a Studio can give. */
export const OF_A_STUDIO = /^studio\.(train|write|graph|compare|path|heads|lens|next|touch)_/;

/** `leftOut` are the keys that this build never says. */
export function messageCatalogues(leftOut = /^$/): Plugin {
  return {
    name: "vitral-messages",
    resolveId: (id) => (id === NAME ? "\0" + NAME : undefined),
    load(id) {
      if (id !== "\0" + NAME) return undefined;
      for (const language of LANGUAGES) cataloguePaths(language).forEach((path) => this.addWatchFile(path));
      const catalogues = Object.fromEntries(LANGUAGES.map((l) => [l, pageMessages(l, leftOut)]));
      return `export default ${JSON.stringify(catalogues)}`;
    },
  };
}
