// The Write room's address ↔ how its text begins and how it is written.
import type { Theme } from "../design/ramp";
import type { Language } from "../messages/reader.svelte";
import type { Settings } from "./types";

export const MODES = ["steps", "race"] as const;
export type Mode = (typeof MODES)[number];

export interface WritePlace {
  model: string | null;
  text: string | null;
  settings: Settings;
  seed: number;
  tokens: number;
  stop: string[];
  windowed: boolean;
  /** Is the text a message, in the form of the model's chat template? */
  chat: boolean;
  layer: number | null;
  head: number | null;
  mode: Mode;
  language: Language | null;
  theme: Theme | null;
}

export const DEFAULTS: Settings = {
  temperature: 0.8,
  top_k: null,
  top_p: 0.9,
  min_p: null,
  repetition_penalty: 1,
};
export const DEFAULT_TOKENS = 40;
export const MOST_TOKENS = 1024;
export const LARGEST_SEED = 2 ** 53 - 1;

/** A number within its bounds; null for anything else. */
function within(text: string | null, least: number, most: number, whole = false): number | null {
  if (text === null || text.trim() === "") return null;
  const value = Number(text);
  const fits = Number.isFinite(value) && value >= least && value <= most;
  return fits && (!whole || Number.isInteger(value)) ? value : null;
}

/** What may be left out is "no" where it is left out, since its default may be something else. */
function optional(query: URLSearchParams, name: string, most: number, before: number | null): number | null {
  const said = query.get(name);
  if (said === "no") return null;
  const whole = name === "top_k";
  const value = within(said, whole ? 1 : 1e-9, most, whole);
  return value ?? before;
}

export function readWritePlace(search: string): WritePlace {
  const query = new URLSearchParams(search);
  const language = query.get("lang");
  const theme = query.get("theme");
  return {
    model: query.get("model"),
    text: query.get("text"),
    settings: {
      temperature: within(query.get("temperature"), 0, 100) ?? DEFAULTS.temperature,
      top_k: optional(query, "top_k", 1e7, DEFAULTS.top_k),
      top_p: optional(query, "top_p", 1, DEFAULTS.top_p),
      min_p: optional(query, "min_p", 1, DEFAULTS.min_p),
      repetition_penalty:
        within(query.get("repetition_penalty"), 0.01, 100) ?? DEFAULTS.repetition_penalty,
    },
    seed: within(query.get("seed"), 0, LARGEST_SEED, true) ?? 1,
    tokens: within(query.get("tokens"), 1, MOST_TOKENS, true) ?? DEFAULT_TOKENS,
    stop: query.getAll("stop").filter((each) => each !== "").slice(0, 16),
    windowed: query.get("windowed") === "1",
    chat: query.get("chat") === "1",
    layer: within(query.get("layer"), 0, 10_000, true),
    head: within(query.get("head"), 0, 10_000, true),
    mode: query.get("mode") === "race" ? "race" : "steps",
    language: language === "es" || language === "en" ? language : null,
    theme: theme === "dark" || theme === "light" ? theme : null,
  };
}

/** readWritePlace(writeWritePlace(p)) is p. */
export function writeWritePlace(place: WritePlace): string {
  const query = new URLSearchParams();
  if (place.model !== null) query.set("model", place.model);
  if (place.text !== null) query.set("text", place.text);
  const { settings } = place;
  query.set("temperature", String(settings.temperature));
  for (const name of ["top_k", "top_p", "min_p"] as const) {
    if (settings[name] !== DEFAULTS[name]) query.set(name, String(settings[name] ?? "no"));
  }
  if (settings.repetition_penalty !== DEFAULTS.repetition_penalty) {
    query.set("repetition_penalty", String(settings.repetition_penalty));
  }
  query.set("seed", String(place.seed));
  if (place.tokens !== DEFAULT_TOKENS) query.set("tokens", String(place.tokens));
  for (const each of place.stop) query.append("stop", each);
  if (place.windowed) query.set("windowed", "1");
  if (place.chat) query.set("chat", "1");
  if (place.layer !== null) query.set("layer", String(place.layer));
  if (place.head !== null) query.set("head", String(place.head));
  if (place.mode !== "steps") query.set("mode", place.mode);
  if (place.language !== null) query.set("lang", place.language);
  if (place.theme !== null) query.set("theme", place.theme);
  return `?${query}`;
}
