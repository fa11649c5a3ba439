// The fonts are asked for with the page itself, not once its styles are known, so that its first
// paint is in them and nothing moves afterwards.
import type { Plugin } from "vite";

export function fontPreloads(): Plugin {
  return {
    name: "font-preloads",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((file) => file.endsWith(".woff2"))
          .map((file) => ({
            tag: "link",
            attrs: { rel: "preload", as: "font", type: "font/woff2", href: `/${file}`, crossorigin: "" },
            injectTo: "head-prepend" as const,
          })),
    },
  };
}
