declare module "virtual:messages" {
  type Catalogues = Record<"en" | "es", Record<string, string>>;
  /** What the script holds from the start. */
  export const catalogues: Catalogues;
  /** What is fetched with a room, by the area's name. */
  export const areas: Record<string, () => Promise<{ default: Catalogues }>>;
}

/** Is this built for a page that a Studio serves? */
declare const __SERVED__: boolean;

/** Does whoever serves the page, or the notebook's kernel, compute what a page cannot hold? */
declare const __COMPUTED__: boolean;
