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
  /** The areas that the script holds from the start. */
  included: readonly string[];
  /** The areas that can be fetched; without it, all others. */
  fetched?: readonly string[];
  /** Keys that this build never says. */
  leftOut?: RegExp;
}

/** What the views say that only a Studio can give. */
export const OF_A_STUDIO = /^studio\.(graph|compare|path|heads|lens|next|touch)_/;

export function messageCatalogues({ included, fetched, leftOut = /^$/ }: Choice): Plugin {
  const said = (names: readonly string[]): string => {
    const of = (language: string): Record<string, string> =>
      Object.fromEntries(
        names
          .flatMap((area) => Object.entries(areaOf(area, language)))
          .filter(([key]) => !leftOut.test(key)),
      );
    return JSON.stringify(Object.fromEntries(LANGUAGES.map((language) => [language, of(language)])));
  };
  return {
    name: "vitral-messages",
    buildStart: () => writeKeys(),
    resolveId: (id) => (id === NAME || id.startsWith(`${NAME}/`) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${NAME}`)) return undefined;
      const all = areas();
      for (const area of all) {
        for (const language of LANGUAGES) this.addWatchFile(pathOf(area, language));
      }
      const area = id.slice(NAME.length + 2);
      if (area !== "") return `export default ${said([area])}`;
      const others = fetched ?? all.filter((name) => !included.includes(name));
      const imports = others.map((name) => `${name}: () => import("${NAME}/${name}")`);
      return `export const catalogues = ${said(included)};\nexport const areas = {${imports.join(", ")}};`;
    },
  };
}
