declare module "virtual:messages" {
  const catalogues: Record<"en" | "es", Record<string, string>>;
  export default catalogues;
}

/** Is this built for a page that a Studio serves? */
declare const __SERVED__: boolean;
