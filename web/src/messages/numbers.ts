// Numbers as their reader writes them: 12,345.6 in English, 12.345,6 in Spanish. The only place on the
// page where a number becomes text for people. Python has the same rule (messages/written_numbers.py),
// and tests/written_numbers.json holds both to the same results.
type Language = "es" | "en";

/** Making one takes much longer than using it. */
const formats = new Map<string, Intl.NumberFormat>();

export function formatted(language: Language, value: number, options: Intl.NumberFormatOptions): string {
  const name = language + JSON.stringify(options);
  let format = formats.get(name);
  if (!format) formats.set(name, (format = new Intl.NumberFormat(language, options)));
  return format.format(value);
}

/** With so many decimals. */
export function decimal(language: Language, value: number, digits: number): string {
  return formatted(language, value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** So many digits that count: with three 0.0123, 1.2, 123. */
export function significant(language: Language, value: number, digits: number): string {
  return formatted(language, value, { maximumSignificantDigits: digits });
}

/** A number in a sentence: of one below 100,000 that is no whole one, six digits count. */
export function written(language: Language, value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1e5
    ? decimal(language, value, 0)
    : significant(language, value, 6);
}
