// A Vite plugin: script, style and fonts inside the page, which then works from a file, without
// a server and without a network.
//
// The page forbids itself everything else: a content policy names this one script and this one
// style sheet by their digests and allows no connection at all. Vitral writes a trace into the
// places marked <!--vitral:…-->; data are not scripts, and need no leave.
import { createHash } from "node:crypto";
import type { Plugin } from "vite";

function digest(content: string): string {
  return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
}

function policy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "font-src data:",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

export function singleFile(): Plugin {
  return {
    name: "vitral-single-file",
    enforce: "post",
    generateBundle(_, bundle) {
      let [script, style] = ["", ""];
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk") script += part.code;
        else if (name.endsWith(".css")) style += String(part.source);
        else if (!name.endsWith(".html")) this.error(`${name} is not inside the page`);
        if (!name.endsWith(".html")) delete bundle[name];
      }
      // What Vite would fetch before a part that is imported when needed: here nothing.
      script = script.replaceAll("__VITE_PRELOAD__", "void 0");
      script = script.replace(/<(\/script|!--)/gi, "\\x3c$1");
      if (/<\/style/i.test(style) || /\burl\((?!["']?data:)/.test(style) || script === "") {
        this.error("the style sheet reaches outside the page, or there is no script");
      }
      for (const part of Object.values(bundle)) {
        if (part.type !== "asset") continue;
        part.source = String(part.source)
          .replace(/\s*<(script|link)[^>]*(src|href)="\/[^>]*>(<\/script>)?/g, "")
          .replace("<head>", () => `<head>\n    <meta http-equiv="Content-Security-Policy" content="${policy(script, style)}" />`)
          .replace("</head>", () => `  <style>${style}</style>\n  </head>`)
          .replace("</body>", () => `  <script type="module">${script}</script>\n  </body>`);
      }
    },
  };
}
