import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

import { fontPreloads } from "./font_preloads.ts";
import { messageCatalogues } from "./message_catalogues.ts";

// VITRAL_STUDIO is the address of a running Studio that `npm run dev` sends /api to.
const studio = process.env["VITRAL_STUDIO"] ?? "http://127.0.0.1:8321";

export default defineConfig({
  plugins: [svelte(), messageCatalogues(), fontPreloads()],
  define: { __SERVED__: true },
  build: {
    outDir: "../src/vitral/studio/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the server's content policy allows files of its own only
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: studio, changeOrigin: true } } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
