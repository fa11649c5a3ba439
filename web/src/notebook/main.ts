// One widget, from its first paint to its end. The bundle runs this whole program once for each
// widget (one_per_widget.ts), so that what the modules hold, such as the room, is that widget's own.
import { mount, unmount } from "svelte";

import "../design/tokens.css";
import "../design/base.css";
import "./widget.css";
import { measureBy } from "../design/narrow";
import type { Theme } from "../design/ramp";
import { isLanguage } from "../messages/catalogue.svelte";
import { answerFrom } from "../protocol/source";
import { preferences } from "../state/preferences.svelte";
import { rooms } from "../state/rooms.svelte";
import { Comm, overComm } from "./comm";
import { giveFaces } from "./fonts";
import type { Model } from "./model";
import { Outside } from "./outside.svelte";
import { followTheme } from "./theme";
import { addressOf, tell, TRAITS } from "./traits";
import Widget from "./Widget.svelte";

/** `style` is the style sheet; `narrow` the width in pixels up to which it has one column. */
export function render(
  { model, el }: { model: Model; el: HTMLElement },
  style: string,
  narrow: number,
): () => void {
  const host = document.createElement("div");
  // Arrow keys move through the picture, not from cell to cell.
  host.dataset["lmSuppressShortcuts"] = "true";
  for (const event of ["keydown", "keyup", "keypress"]) {
    host.addEventListener(event, (key) => key.stopPropagation());
  }
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  shadow.adoptedStyleSheets = [sheet];
  const target = document.createElement("div");
  target.id = "vitral";
  shadow.append(target);
  el.append(host);
  giveFaces();
  measureBy(target, narrow);

  const outside = new Outside();
  const comm = new Comm(model, (late) => (outside.late = late));
  let address = addressOf(model, "");
  let telling = false;
  answerFrom(overComm(comm, model.get("_views") as string[], () => address));
  rooms.beginIn((now) => {
    address = now;
    telling = true;
    tell(model, now);
    telling = false;
  });

  let around: Theme = "light";
  const dress = (): void => {
    const [theme, language] = [model.get("theme"), model.get("language")];
    preferences.follow(
      isLanguage(language as string | null) ? (language as "en" | "es") : null,
      theme === "light" || theme === "dark" ? theme : around,
    );
  };
  const follow = (): void => {
    if (telling) return;
    address = addressOf(model, address);
    rooms.visit("explore", address);
  };
  const stretch = (): void => {
    outside.height = model.get("height") as number;
  };
  preferences.root = host;
  stretch();
  const unfollow = followTheme((theme) => {
    around = theme;
    dress();
  });
  const heard: [string, () => void][] = [
    ...TRAITS.map((name): [string, () => void] => [`change:${name}`, follow]),
    ["change:theme", dress],
    ["change:language", dress],
    ["change:height", stretch],
  ];
  for (const [event, then] of heard) model.on(event, then);

  const shown = mount(Widget, { target, props: { outside } });
  return () => {
    for (const [event, then] of heard) model.off(event, then);
    unfollow();
    comm.close();
    void unmount(shown);
    host.remove();
  };
}
