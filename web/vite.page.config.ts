// The page that Trace.to_html writes: the same components as Studio's, in one file.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { messageCatalogues } from "./message_catalogues.ts";
import { singleFile } from "./single_file.ts";

export default defineConfig({
  plugins: [svelte(), messageCatalogues(), singleFile()],
  define: { __SERVED__: false },
  publicDir: false,
  build: {
    outDir: "../src/vitral/assets/page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 1 << 20,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "page.html", output: { codeSplitting: false } },
  },
});
