import { describe, expect, it } from "vitest";

import { themeSaid } from "../../src/notebook/theme";

function marked(className = "", attributes: Record<string, string> = {}) {
  return { className, getAttribute: (name: string) => attributes[name] ?? null };
}

describe("the theme that a page says", () => {
  it("is JupyterLab's, whatever else stands there", () => {
    expect(themeSaid(marked("dark", { "data-jp-theme-light": "true" }))).toBe("light");
    expect(themeSaid(marked("", { "data-jp-theme-light": "false" }))).toBe("dark");
  });

  it("is VS Code's, in its four kinds", () => {
    const kind = (name: string) => themeSaid(marked(name, { "data-vscode-theme-kind": name }));
    expect(kind("vscode-light")).toBe("light");
    expect(kind("vscode-dark")).toBe("dark");
    expect(kind("vscode-high-contrast")).toBe("dark");
    expect(kind("vscode-high-contrast-light")).toBe("light");
    const both = "vscode-high-contrast vscode-high-contrast-light";
    expect(themeSaid(marked(both))).toBe("light");
  });

  it("is what Colab and marimo mark their page with", () => {
    expect(themeSaid(marked("", { theme: "dark" }))).toBe("dark");
    expect(themeSaid(marked("dark dark-theme"))).toBe("dark");
    expect(themeSaid(marked("some light"))).toBe("light");
    expect(themeSaid(marked("", { "data-theme": "light" }))).toBe("light");
  });

  it("is none where nothing is said: darkness is a word of its own", () => {
    expect(themeSaid(marked())).toBeNull();
    expect(themeSaid(marked("darkness jp-Notebook", { theme: "solarized" }))).toBeNull();
  });
});
