import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { fontPreloads } from "./font_preloads.ts";
import { messageCatalogues } from "./message_catalogues.ts";

// VITRAL_STUDIO is the address of a running Studio that `npm run dev` sends /api to.
const studio = process.env["VITRAL_STUDIO"] ?? "http://127.0.0.1:8321";

/** What several parts of the page use comes in few files: each file has its price. */
const SHARED = [
  { name: "frame", test: /node_modules.svelte|src.(messages|protocol|state)./, priority: 2 },
  { name: "shared", test: /src.(design|trace.(?!compare.))/, minShareCount: 2, priority: 1 },
];

export default defineConfig({
  plugins: [svelte(), messageCatalogues({ included: ["studio", "errors"] }), fontPreloads()],
  define: { __SERVED__: true, __COMPUTED__: true },
  build: {
    outDir: "../src/vitral/studio/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the server's content policy allows files of its own only
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: SHARED } } },
  },
  server: { proxy: { "/api": { target: studio, changeOrigin: true } } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
