// The widget that shows a trace in a notebook: the same components as Studio's, in one ESM file.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { messagesInOneFile } from "./message_catalogues.ts";
import { oneProgram } from "./one_program.ts";

/** What the picture itself finds wrong, and what it is often refused. */
const ERRORS = [
  "head_out_of_range",
  "internal",
  "layer_out_of_range",
  "layer_without_attention",
  "part_unknown",
  "token_out_of_range",
  "view_too_large",
];

export default defineConfig({
  plugins: [svelte(), messagesInOneFile(ERRORS), oneProgram()],
  define: { __SERVED__: false, __COMPUTED__: true },
  publicDir: false,
  build: {
    outDir: "../src/vitral/notebook/static",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
  },
});
