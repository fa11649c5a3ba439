// Python's str.format in the measure that the catalogues use it: {name}, and {{ }} for braces.
import { written } from "./numbers";

type Language = "es" | "en";
type Value = string | number | readonly (string | number)[];

/** What fills a sentence. Numbers are written as their reader writes them; what the server wrote in
 * each language (a size in bytes) is an object. */
export type Values = Record<string, Value | Record<Language, string>>;

export interface Piece {
  text: string;
  /** The placeholder that this piece fills; null for the sentence's own words. */
  name: string | null;
}

/** A filled sentence in pieces, so that what fills it can be set apart. */
export function pieces(template: string, values: Values, language: Language): Piece[] {
  return template
    .split(/(\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1] ?? null;
      return { text: fill(part, values, language), name };
    });
}

export function fill(template: string, values: Values, language: Language): string {
  return template.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name: string | undefined) => {
    if (found === "{{") return "{";
    if (found === "}}") return "}";
    const value = values[name ?? ""];
    return value === undefined ? found : inWords(value, language);
  });
}

function inWords(value: Values[string], language: Language): string {
  if (typeof value === "number") return written(language, value);
  if (value === null || typeof value !== "object") return String(value);
  if ("es" in value) return value[language];
  return value.map((each) => inWords(each, language)).join(", ");
}
