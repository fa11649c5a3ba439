// Numbers in the reader's form: the same on the page as in Python, by the same file of cases.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { decimal, significant, written } from "../../src/messages/numbers";

interface Case {
  form: "decimal" | "significant" | "written";
  value: number;
  digits?: number;
  en: string;
  es: string;
}
const cases = JSON.parse(
  readFileSync(new URL("../../../tests/written_numbers.json", import.meta.url), "utf-8"),
) as Case[];

const forms = {
  decimal,
  significant,
  written: (language: "en" | "es", value: number) => written(language, value),
};

describe("numbers", () => {
  it.each(cases)("$form $value $digits", ({ form, value, digits = 0, en, es }) => {
    expect(forms[form]("en", value, digits)).toBe(en);
    expect(forms[form]("es", value, digits)).toBe(es);
  });
});
