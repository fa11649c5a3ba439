// The page that Trace.to_html writes: the same components as Studio's, in one file.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { messagesInOneFile } from "./message_catalogues.ts";
import { singleFile } from "./single_file.ts";

/** Without a Studio few things can go wrong: an address may name what the trace does not have. */
const ERRORS = ["head_out_of_range", "layer_out_of_range", "layer_without_attention", "part_unknown"];

export default defineConfig({
  plugins: [svelte(), messagesInOneFile(ERRORS), singleFile()],
  define: { __SERVED__: false, __COMPUTED__: false },
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
