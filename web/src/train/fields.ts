// A recipe's entries ↔ what a reader types. What cannot be read goes to Studio as it was typed,
// which says what the entry takes.
import type { Field, Value } from "./types";

export type Typed = string | boolean;

export const GROUPS = [
  "",
  "model",
  "tokenizer",
  "data",
  "batch",
  "phases",
  "optimizer",
  "schedule",
] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf(field: Field): Group {
  const first = field.path.includes(".") ? (field.path.split(".")[0] ?? "") : "";
  return GROUPS.find((group) => group === first) ?? "";
}

/** Does a model of that architecture have the entry? */
export function belongs(field: Field, form: string): boolean {
  return field.forms.length === 0 || field.forms.includes(form);
}

/** A value as it stands in its control. */
export function typed(field: Field, value: Value): Typed {
  if (field.kind === "boolean") return value === true;
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** What was typed as a value: "0,1" and "0.1" are one number, "64, 256" is a list of two. */
export function read(field: Field, text: Typed): Value {
  if (typeof text === "boolean") return text;
  const said = text.trim();
  if (said === "" && field.optional) return null;
  if (field.kind === "integer" || field.kind === "number") return readNumber(said) ?? said;
  if (field.kind !== "list") return said;
  const alone = readNumber(said);
  if (alone !== null && typeof field.default === "number") return alone;
  return said
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => readNumber(part) ?? part);
}

/** The number that a text is, with a point or a comma; null for any other text. */
export function readNumber(text: string): number | null {
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  return Number(text.replace(",", "."));
}

/** The minutes that the dial clicks into. */
export const CLICKS = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 240, 480];

/** The click nearest to so many minutes. */
export function nearestClick(minutes: number): number {
  const distances = CLICKS.map((click) => Math.abs(Math.log(click / Math.max(minutes, 0.01))));
  return distances.indexOf(Math.min(...distances));
}
