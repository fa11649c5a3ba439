// One widget, from its first paint to its end. A notebook runs this program once (one_program.ts),
// and it shows any number of widgets: each has its own picture, preferences and comm.
import { mount, unmount } from "svelte";

import "../design/tokens.css";
import "../design/base.css";
import "./widget.css";
import { followWidth } from "../design/narrow";
import type { Theme } from "../design/ramp";
import { isLanguage, Reader } from "../messages/reader.svelte";
import { Preferences } from "../state/preferences.svelte";
import { Picture } from "../trace/picture.svelte";
import { Comm, overComm } from "./comm";
import { giveFaces } from "./fonts";
import type { Model } from "./model";
import { Outside } from "./outside.svelte";
import { followTheme } from "./theme";
import { addressOf, tell, TRAITS } from "./traits";
import Widget from "./Widget.svelte";

type Render = (widget: { model: Model; el: HTMLElement }) => () => void;

/**
 * The program: what shows a widget, and gives what ends it. `style` is the style sheet; `narrow` the
 * width in pixels up to which a widget has one column.
 */
export function start(style: string, narrow: number): Render {
  performance.mark("vitral-program");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  giveFaces();
  return ({ model, el }) => {
    const host = hostIn(el);
    const shadow = host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    const target = document.createElement("div");
    target.id = "vitral";
    shadow.append(target);
    return shownIn(target, host, model, narrow);
  };
}

/** The widget's own element, out of which no key comes: arrows move through the picture, not from
 * cell to cell. */
function hostIn(el: HTMLElement): HTMLElement {
  const host = document.createElement("div");
  host.dataset["lmSuppressShortcuts"] = "true";
  for (const event of ["keydown", "keyup", "keypress"]) {
    host.addEventListener(event, (key) => key.stopPropagation());
  }
  el.append(host);
  return host;
}

function shownIn(
  target: HTMLElement,
  host: HTMLElement,
  model: Model,
  narrow: number,
): () => void {
  const outside = new Outside();
  const comm = new Comm(model, (late) => (outside.late = late));
  const preferences = new Preferences(new Reader(), host);
  let address = addressOf(model, "");
  let telling = false;
  const source = overComm(comm, model.get("_views") as string[]);
  const picture = new Picture(source, preferences, {
    read: () => address,
    write: (now) => {
      address = now;
      telling = true;
      tell(model, now);
      telling = false;
    },
  });

  let around: Theme = "light";
  const dress = (): void => {
    const [theme, language] = [model.get("theme"), model.get("language") as string | null];
    preferences.follow({
      language: isLanguage(language) ? language : null,
      theme: theme === "light" || theme === "dark" ? theme : around,
    });
  };
  const follow = (): void => {
    if (telling) return;
    address = addressOf(model, address);
    picture.visit(address);
  };
  const stretch = (): void => {
    outside.height = model.get("height") as number;
  };
  stretch();
  const unfollow = [
    followTheme((theme) => {
      around = theme;
      dress();
    }),
    followWidth(target, narrow, (now) => (picture.narrow = now)),
  ];
  const heard: [string, () => void][] = [
    ...TRAITS.map((name): [string, () => void] => [`change:${name}`, follow]),
    ["change:theme", dress],
    ["change:language", dress],
    ["change:height", stretch],
  ];
  for (const [event, then] of heard) model.on(event, then);

  const shown = mount(Widget, { target, props: { picture, outside } });
  return () => {
    for (const [event, then] of heard) model.off(event, then);
    for (const end of unfollow) end();
    picture.close();
    comm.close();
    void unmount(shown);
    host.remove();
  };
}
