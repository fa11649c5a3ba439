import { describe, expect, it } from "vitest";

import { oneProgram, withinShadow } from "../../one_program.ts";

describe("a page's style sheet in a widget", () => {
  it("speaks of the host where it spoke of the page", () => {
    expect(withinShadow(":root{--a:1px}")).toBe(":host{--a:1px}");
    expect(withinShadow(':root[data-theme="dark"]{a:b}')).toBe(':host([data-theme="dark"]){a:b}');
  });

  it("has pixels for rems, since the root is another's", () => {
    expect(withinShadow("a{margin:1rem -.5rem 0.25rem}")).toBe("a{margin:14px -7px 3.5px}");
    expect(withinShadow(".prem1rem{}")).toBe(".prem1rem{}");
  });

  it("asks for the widget's width, and leaves what it asks of the reader", () => {
    expect(withinShadow("@media (max-width:40rem){a{}}")).toBe(
      "@container vitral (max-width:560px){a{}}",
    );
    expect(withinShadow("@media(width<=52rem){a{}}")).toBe("@container vitral (width<=728px){a{}}");
    const motion = "@media (prefers-reduced-motion:reduce){a{}}";
    expect(withinShadow(motion)).toBe(motion);
  });
});

interface Emitted {
  source: string;
}

/** The file that is built of a program and a style sheet. */
function built(code: string, style: string): string {
  const emitted: Emitted[] = [];
  const context = {
    emitFile: (file: Emitted) => void emitted.push(file),
    error: (problem: string) => {
      throw new Error(problem);
    },
  };
  const bundle = {
    "widget.js": { type: "chunk", code },
    "widget.css": { type: "asset", source: style },
  };
  const { generateBundle } = oneProgram() as unknown as {
    generateBundle: (this: typeof context, options: null, bundle: object) => void;
  };
  generateBundle.call(context, null, bundle);
  return emitted[0]?.source ?? "";
}

interface Widget {
  default: { render: (widget: string) => unknown };
}

/** The file as a notebook loads it for a widget: as a module of its own each time. */
async function loaded(source: string, time: number): Promise<Widget["default"]> {
  const address = `data:text/javascript,${encodeURIComponent(`${source}// ${time}`)}`;
  return ((await import(/* @vite-ignore */ address)) as Widget).default;
}

const PROGRAM = `var vitral = (function () {
  globalThis.started = (globalThis.started ?? 0) + 1;
  const mine = { shown: 0 };
  return { start: (style, narrow) => (widget) => [widget, (mine.shown += 1), style, narrow] };
})();`;

describe("the notebook's file", () => {
  it("runs its program once, however often it is loaded, and shows each widget", async () => {
    const source = built(PROGRAM, ":root{--a:1rem}");
    const [one, two] = [await loaded(source, 1), await loaded(source, 2)];
    expect(one.render).not.toBe(two.render);
    expect([one.render("first"), two.render("second")]).toEqual([
      ["first", 1, ":host{--a:14px}", 728],
      ["second", 2, ":host{--a:14px}", 728],
    ]);
    expect((globalThis as { started?: number }).started).toBe(1);
  });

  it("does not share another build's", async () => {
    const other = await loaded(built(PROGRAM, "a{}"), 3);
    expect(other.render("third")).toEqual(["third", 1, "a{}", 728]);
  });

  it("holds nothing that is fetched", () => {
    expect(() => built(PROGRAM, "a{background:url(x.png)}")).toThrow("outside the widget");
  });
});
