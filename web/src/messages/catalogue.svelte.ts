// What the page says, in the language chosen. The catalogues are the Python package's own;
// a key that does not exist is a type error.
import catalogues from "virtual:messages";
import type explore from "@messages/explore.en.json";
import type studio from "@messages/studio.en.json";
import type train from "@messages/train.en.json";
import type write from "@messages/write.en.json";

import { fill, pieces, type Piece, type Values } from "./fill";

export const LANGUAGES = ["es", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export type MessageKey = keyof (typeof explore & typeof studio & typeof train & typeof write);

export function isLanguage(code: string | null | undefined): code is Language {
  return code === "es" || code === "en";
}

/** The reader's language: the first of the browser's that we speak, else English. */
export function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const code = tag.slice(0, 2).toLowerCase();
    if (isLanguage(code)) return code;
  }
  return "en";
}

class Reader {
  language = $state<Language>(browserLanguage());
}

export const reader = new Reader();

/** The message `key` in the reader's language; a component that calls it follows the language. */
export function say(key: MessageKey, values: Values = {}): string {
  return fill(catalogues[reader.language][key] ?? key, values);
}

/** The message `key` in pieces, for a sentence whose parts are marked. */
export function sayInPieces(key: MessageKey, values: Values): Piece[] {
  return pieces(catalogues[reader.language][key] ?? key, values);
}

/** The message of an error's code, or `fallback` (the server's own words) for one unknown here. */
export function sayError(code: string, values: Values, fallback: string): string {
  const template = catalogues[reader.language][`error.${code}`];
  return template === undefined ? fallback : fill(template, values);
}

/** A model's title: bundled ones have one in each language. */
export function sayModel(name: string, title: string): string {
  return catalogues[reader.language][`studio.model.${name}`] ?? title;
}

/** A weight as it is read aloud or shown: four decimals, with the language's decimal sign. */
export function number(value: number, digits = 4): string {
  const smallest = 10 ** -digits;
  if (digits > 2 && value > 0 && value < smallest / 2) return `<${number(smallest, digits)}`;
  return new Intl.NumberFormat(reader.language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** A share in percent: 0.1234 as "12.3 %", on one line. */
export function percent(share: number, digits = 1): string {
  const shown = 100 * share;
  const least = 10 ** -digits;
  if (shown > 0 && shown < least / 2) return `<${number(least, digits)}\u00a0%`;
  return `${number(shown, digits)}\u00a0%`;
}
