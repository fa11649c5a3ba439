// A Vite plugin: the messages of the page. What its frame says comes with the script itself; the
// messages of a room come with the room.
//
//     import { catalogues, areas } from "virtual:messages";
//     catalogues.es["studio.rooms"]      of the areas that are `included`
//     (await areas.write()).default.es   of any other
import type { Plugin } from "vite";

import { areaOf, areas, LANGUAGES, pathOf, writeKeys } from "./message_areas.js";

const NAME = "virtual:messages";

interface Choice {
  /** The areas that the script holds from the start; all others can be fetched. */
  included: readonly string[];
}

/** Studio's messages: those of a room come with it. */
export function messageCatalogues({ included }: Choice): Plugin {
  const said = (names: readonly string[]): string => literal(names, () => true);
  return {
    name: "vitral-messages",
    ...served((area, others) =>
      area === null
        ? `export const catalogues = ${said(included)};
export const areas = {${others
            .filter((name) => !included.includes(name))
            .map((name) => `${name}: () => import("${NAME}/${name}")`)
            .join(", ")}};`
        : `export default ${said([area])}`,
    ),
  };
}

/** What stands in the script until it is known which messages its code says. */
const LATER = "globalThis.__VITRAL_MESSAGES__";

/**
 * The messages of a program in one file: those that its code names, and no other. Few things can go
 * wrong there; of errors it holds those that `errors` names, any other comes with its own words.
 */
export function messagesInOneFile(errors: readonly string[]): Plugin {
  return {
    name: "vitral-messages",
    ...served(() => `export const catalogues = ${LATER};\nexport const areas = {};`),
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).flatMap((part) => (part.type === "chunk" ? [part] : []));
      const code = chunks.map((chunk) => chunk.code).join("\n");
      const named = new Set(code.match(/studio\.[a-z_]+/g));
      const keeps = (key: string): boolean =>
        key.startsWith("error.")
          ? errors.includes(key.slice("error.".length))
          : named.has(key) || key.startsWith("studio.model.");
      const messages = literal(["studio", "trace", "errors"], keeps);
      if (!code.includes(LATER)) this.error("the messages have no place in the script");
      for (const chunk of chunks) chunk.code = chunk.code.replaceAll(LATER, () => `(${messages})`);
    },
  };
}

/** The virtual module, `written` for all areas (null) or for one of them. */
function served(written: (area: string | null, others: readonly string[]) => string): Partial<Plugin> {
  return {
    buildStart: () => writeKeys(),
    resolveId: (id) => (id === NAME || id.startsWith(`${NAME}/`) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${NAME}`)) return undefined;
      const all = areas();
      for (const area of all) {
        for (const language of LANGUAGES) this.addWatchFile(pathOf(area, language));
      }
      return written(id.slice(NAME.length + 2) || null, all);
    },
  };
}

/** The messages of some areas in all languages, as JavaScript. */
function literal(names: readonly string[], keeps: (key: string) => boolean): string {
  const of = (language: string): Record<string, string> =>
    Object.fromEntries(
      names.flatMap((area) => Object.entries(areaOf(area, language))).filter(([key]) => keeps(key)),
    );
  return JSON.stringify(Object.fromEntries(LANGUAGES.map((language) => [language, of(language)])));
}
