// A Vite plugin: the notebook's program as one ESM file, which a page runs once, however many widgets
// it shows.
//
// Notebooks load that file anew for each widget. So the program stands in it as one function with
// its modules inside, and the first widget's call of it serves all others: what it gives is kept by
// the page under a name that only this build has. The style sheet is handed to it as text, for the
// widgets' shadow roots.
//
// There a widget is the page: `:root` is the shadow host, a rem is a fixed number of pixels
// (a notebook's own root may be of any size), and what asks for the window's width asks for the
// widget's.
import { createHash } from "node:crypto";
import type { Plugin } from "vite";

/** Pixels in a rem: a notebook's text is somewhat smaller than a page's. */
const REM = 14;
/** The width, in rem, up to which there is one column: that of the style sheets. */
const NARROW = 52;
const NAME = "vitral";

/** A page's style sheet as a shadow root's. */
export function withinShadow(css: string): string {
  return css
    .replace(/:root((?:\[[^\]]*\])+)/g, ":host($1)")
    .replace(/:root\b/g, ":host")
    .replace(/(?<!\w)(\d*\.?\d+)rem\b/g, (_, size: string) => `${+(Number(size) * REM).toFixed(3)}px`)
    .replace(/@media\s*(\((?:max|min)-width:[^)]*\)|\(width\s*[<>]=?[^)]*\))\s*\{/g, "@container vitral $1{");
}

export function oneProgram(): Plugin {
  return {
    name: "vitral-one-program",
    enforce: "post",
    config: () => ({
      build: {
        lib: {
          entry: "src/notebook/main.ts",
          formats: ["iife" as const],
          name: NAME,
          fileName: () => "widget.js",
        },
      },
    }),
    generateBundle(_, bundle) {
      let [program, style] = ["", ""];
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk") program += part.code;
        else if (name.endsWith(".css")) style += String(part.source);
        else this.error(`${name} is not inside the widget`);
        delete bundle[name];
      }
      if (/\burl\(/.test(style) || program === "") {
        this.error("the style sheet reaches outside the widget, or there is no program");
      }
      const source = [
        `const style = ${JSON.stringify(withinShadow(style))};`,
        `const start = () => {\n${program}\nreturn ${NAME}.start(style, ${NARROW * REM});\n};`,
        `const name = Symbol.for("vitral-${createHash("sha256").update(program + style).digest("hex")}");`,
        "export default { render: (widget) => (globalThis[name] ??= start())(widget) };\n",
      ].join("\n");
      this.emitFile({ type: "asset", fileName: "widget.js", source });
    },
  };
}
