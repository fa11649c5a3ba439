// Numbers of lessons in the reader's form: enough digits to see what is meant, no more.
import type { Reader } from "../messages/reader.svelte";
import type { NumberShown, Value } from "./types";

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

type Says = Pick<Reader, "signed" | "short" | "whole" | "percent">;

/** A number, with four digits that count; a very small or large one as a power of ten. */
export function readable(value: number, reader: Says): string {
  const size = Math.abs(value);
  if (value === 0) return reader.whole(0);
  if (size < 1e-3 || size >= 1e6) {
    const exponent = Math.floor(Math.log10(size));
    const mantissa = reader.short(value / 10 ** exponent, 3).replace("-", "−");
    const raised = String(Math.abs(exponent)).replace(/\d/g, (digit) => RAISED[Number(digit)] ?? "");
    return `${mantissa} × 10${exponent < 0 ? "⁻" : ""}${raised}`;
  }
  return reader.short(value, size >= 1000 ? 7 : 4).replace("-", "−");
}

/** A number of the prose, as its lesson wants it shown. */
export function shown({ value, digits, percent }: NumberShown, reader: Says): string {
  if (percent) return reader.percent(value, digits ?? 1);
  return digits === null ? readable(value, reader) : reader.signed(value, digits);
}

/** Any value of a figure. */
export function valueText(value: Value, reader: Says): string {
  return typeof value === "number" ? readable(value, reader) : String(value);
}

/** LaTeX whose marked numbers (⟨1.25⟩) are written as the language writes them. */
export function localized(tex: string, language: string): string {
  return tex.replace(/⟨([^⟩]*)⟩/g, (_, number: string) =>
    language === "es" ? number.replace(".", "{,}") : number,
  );
}
