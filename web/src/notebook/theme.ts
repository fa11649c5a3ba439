// The theme of the page around a widget, as each host says it: JupyterLab, VS Code, then pages that
// mark their root or body (Colab, marimo), and where nothing is said, the system's.
import type { Theme } from "../design/ramp";

/** What of an element says a theme. */
export interface Marked {
  readonly className: string;
  getAttribute(name: string): string | null;
}

const SAYS = ["data-jp-theme-light", "data-vscode-theme-kind", "class", "theme", "data-theme"];

/** The theme that an element says its page has; null where it says none. */
export function themeSaid(element: Marked): Theme | null {
  const jupyter = element.getAttribute("data-jp-theme-light");
  if (jupyter !== null) return jupyter === "false" ? "dark" : "light";
  const said = new Set([
    ...element.className.split(/\s+/),
    element.getAttribute("data-vscode-theme-kind"),
    element.getAttribute("theme"),
    element.getAttribute("data-theme"),
  ]);
  // VS Code's body of high contrast and light is marked with the dark one's name as well.
  if (said.has("vscode-high-contrast-light") || said.has("vscode-light")) return "light";
  if (said.has("vscode-dark") || said.has("vscode-high-contrast")) return "dark";
  if (said.has("dark") || said.has("dark-theme")) return "dark";
  if (said.has("light") || said.has("light-theme")) return "light";
  return null;
}

/** Tell the page's theme now and whenever it changes; the answer ends it. */
export function followTheme(tell: (theme: Theme) => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const places = [document.body, document.documentElement];
  const look = (): void => {
    const said = places.map(themeSaid).find((theme) => theme !== null);
    tell(said ?? (system.matches ? "dark" : "light"));
  };
  const observer = new MutationObserver(look);
  for (const place of places) observer.observe(place, { attributeFilter: SAYS });
  system.addEventListener("change", look);
  look();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", look);
  };
}
