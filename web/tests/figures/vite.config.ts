// The page of figures, built by tests/web/test_figures.py into the folder that FIGURES names.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

import { messageCatalogues } from "../../message_catalogues.ts";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/figures/",
  plugins: [svelte(), messageCatalogues({ included: ["studio", "trace", "errors"] })],
  define: { __SERVED__: true, __COMPUTED__: true },
  publicDir: false,
  build: { outDir: process.env["FIGURES"] ?? "built", emptyOutDir: true, target: "es2022" },
});
