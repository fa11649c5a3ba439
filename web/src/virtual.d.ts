declare module "virtual:messages" {
  const catalogues: Record<"en" | "es", Record<string, string>>;
  export default catalogues;
}
