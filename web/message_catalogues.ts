// A Vite plugin: the page's share of the message catalogues.
//
// The catalogues belong to the Python package (src/vitral/assets/messages/<language>.json), so
// that no sentence is written twice. The page needs what it says itself (studio.*) and what went
// wrong (error.*); the terminal's messages are left out of the script.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const LANGUAGES = ["en", "es"] as const;
const NAME = "virtual:messages";

export function cataloguePath(language: string): string {
  return fileURLToPath(
    new URL(`../src/vitral/assets/messages/${language}.json`, import.meta.url),
  );
}

function pageMessages(language: string, leftOut: RegExp): Record<string, string> {
  const all = JSON.parse(readFileSync(cataloguePath(language), "utf-8")) as Record<string, string>;
  const ours = ([key]: [string, string]): boolean =>
    /^(studio|error)\./.test(key) && !leftOut.test(key);
  return Object.fromEntries(Object.entries(all).filter(ours));
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
      for (const language of LANGUAGES) this.addWatchFile(cataloguePath(language));
      const catalogues = Object.fromEntries(LANGUAGES.map((l) => [l, pageMessages(l, leftOut)]));
      return `export default ${JSON.stringify(catalogues)}`;
    },
  };
}
