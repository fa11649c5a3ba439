// The message catalogues as the page's build reads them.
//
// They belong to the Python package (src/vitral/assets/messages/<area>.<language>.json, a pair for
// each room and area), so that no sentence is written twice. The page says what begins with
// "studio." (itself) and with "error." (what went wrong); the terminal's messages stay out of it.
//
//     node message_areas.js        writes the type of all keys, for svelte-check
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const LANGUAGES = /** @type {const} */ (["en", "es"]);

const FOLDER = new URL("../src/vitral/assets/messages/", import.meta.url);
const KEYS = new URL("generated/message_keys.d.ts", import.meta.url);

/** The areas that have something to say on the page. */
export function areas() {
  const names = readdirSync(FOLDER).flatMap((name) => /^(\w+)\.en\.json$/.exec(name)?.[1] ?? []);
  return names.filter((name) => Object.keys(areaOf(name, "en")).length > 0).sort();
}

/**
 * The file of an area in one language.
 * @param {string} area
 * @param {string} language
 */
export function pathOf(area, language) {
  return fileURLToPath(new URL(`${area}.${language}.json`, FOLDER));
}

/**
 * What an area says on the page, by key.
 * @param {string} area
 * @param {string} language
 * @returns {Record<string, string>}
 */
export function areaOf(area, language) {
  /** @type {Record<string, string>} */
  const all = JSON.parse(readFileSync(pathOf(area, language), "utf-8"));
  return Object.fromEntries(Object.entries(all).filter(([key]) => /^(studio|error)\./.test(key)));
}

/** Write what TypeScript knows of the keys, where that has changed. */
export function writeKeys() {
  const keys = areas().flatMap((area) => Object.keys(areaOf(area, "en")));
  const ours = keys.filter((key) => key.startsWith("studio.")).sort();
  const union = ours.map((key) => `\n    | ${JSON.stringify(key)}`).join("");
  const text = `declare module "virtual:messages/keys" {\n  export type MessageKey =${union};\n}\n`;
  mkdirSync(new URL(".", KEYS), { recursive: true });
  try {
    if (readFileSync(KEYS, "utf-8") === text) return;
  } catch {
    // Not written yet.
  }
  writeFileSync(KEYS, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeKeys();
