// The messages that are here. Those of a room come with it, in both languages, before it is shown.
import { areas, catalogues } from "virtual:messages";

const known = new Set<string>();

/** Have the messages of these areas at hand. */
export async function fetchMessages(names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      if (known.has(name)) return;
      const found = await areas[name]?.();
      Object.assign(catalogues.en, found?.default.en);
      Object.assign(catalogues.es, found?.default.es);
      known.add(name);
    }),
  );
}
