// Who reads: the language, and every message and number in it. Each page, and each widget of a
// notebook, has one, which its components get from their context:
//
//     const { say, number } = getReader();
//
// What they say follows the language. A key that does not exist is a type error.
import { createContext } from "svelte";
import { catalogues } from "virtual:messages";
import type { MessageKey } from "virtual:messages/keys";

import { fill, pieces, type Piece, type Values } from "./fill";
import { decimal, formatted, significant } from "./numbers";

export const LANGUAGES = ["es", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export type { MessageKey };

export function isLanguage(code: string | null | undefined): code is Language {
  return code === "es" || code === "en";
}

/** The first of the browser's languages that Vitral speaks, or English. */
export function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const code = tag.slice(0, 2).toLowerCase();
    if (isLanguage(code)) return code;
  }
  return "en";
}

export class Reader {
  language = $state<Language>(browserLanguage());

  /** The message `key`. */
  readonly say = (key: MessageKey, values: Values = {}): string =>
    fill(this.#template(key) ?? key, values, this.language);

  /** The message `key` in pieces, for a sentence whose parts are marked. */
  readonly sayInPieces = (key: MessageKey, values: Values): Piece[] =>
    pieces(this.#template(key) ?? key, values, this.language);

  /** The message of an error's code, or `fallback` (the server's own words) for one unknown here. */
  readonly sayError = (code: string, values: Values, fallback: string): string => {
    const template = this.#template(`error.${code}`);
    return template === undefined ? fallback : fill(template, values, this.language);
  };

  /** A model's title: bundled ones have one in each language. */
  readonly sayModel = (name: string, title: string): string =>
    this.#template(`studio.model.${name}`) ?? title;

  /** A weight as it is read aloud or shown: four decimals, with the language's decimal sign. */
  readonly number = (value: number, digits = 4): string => {
    const smallest = 10 ** -digits;
    if (digits > 2 && value > 0 && value < smallest / 2) return `<${this.number(smallest, digits)}`;
    return decimal(this.language, value, digits);
  };

  /** The same of what may be negative, with the minus sign that typesetters use. */
  readonly signed = (value: number, digits = 2): string =>
    this.number(value, digits).replace("-", "−");

  /** A share in percent: 0.1234 as "12.3 %", on one line. */
  readonly percent = (share: number, digits = 1): string => {
    const shown = 100 * share;
    const least = 10 ** -digits;
    if (shown > 0 && shown < least / 2) return `<${this.number(least, digits)}\u00a0%`;
    return `${this.number(shown, digits)}\u00a0%`;
  };

  /** A count or a position, with the language's mark between thousands. */
  readonly whole = (value: number): string => decimal(this.language, value, 0);

  /** So many digits that count: with three 0.0123, 1.23, 123. */
  readonly short = (value: number, digits = 3): string =>
    significant(this.language, value, digits);

  /** A change of a share with its sign, in percentage points: "+3.1". */
  readonly points = (change: number): string =>
    formatted(this.language, 100 * change, {
      signDisplay: "exceptZero",
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
    }).replace("-", "−");

  #template(key: string): string | undefined {
    return catalogues[this.language][key];
  }
}

export const [getReader, setReader] = createContext<Reader>();
