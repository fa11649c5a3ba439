// The widget that shows a trace in a notebook: the same components as Studio's, in one ESM file.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { messageCatalogues, OF_A_STUDIO } from "./message_catalogues.ts";
import { oneProgram } from "./one_program.ts";

const MESSAGES = { included: ["studio", "trace", "errors"], fetched: [], leftOut: OF_A_STUDIO };

export default defineConfig({
  plugins: [svelte(), messageCatalogues(MESSAGES), oneProgram()],
  define: { __SERVED__: false },
  publicDir: false,
  build: {
    outDir: "../src/vitral/notebook/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
  },
});
