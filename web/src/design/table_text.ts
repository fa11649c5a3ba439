// A table as text that spreadsheets and notebooks read: tabs between cells, a line a row.

/** A float32 as the shortest decimal that is read back as the same float32. */
export function exact(weight: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = Number(weight.toPrecision(digits));
    if (Math.fround(text) === Math.fround(weight)) return String(text);
  }
  return String(Number(weight.toPrecision(9)));
}

/** Positions and words as they are, weights exact, with a decimal point whatever the language. */
export function tabSeparated(head: string[], rows: (string | number)[][]): string {
  const cell = (value: string | number): string =>
    typeof value === "number" ? exact(value) : value.replace(/[\t\r\n]+/g, " ");
  return [head, ...rows].map((row) => row.map(cell).join("\t")).join("\n") + "\n";
}
