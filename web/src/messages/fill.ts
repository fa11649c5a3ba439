// Python's str.format in the measure that the catalogues use it: {name}, and {{ }} for braces.

export type Values = Record<string, string | number | readonly string[]>;

export interface Piece {
  text: string;
  /** The placeholder that this piece fills; null for the sentence's own words. */
  name: string | null;
}

/** A filled sentence in pieces, so that what fills it can be set apart. */
export function pieces(template: string, values: Values): Piece[] {
  return template
    .split(/(\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1] ?? null;
      return { text: fill(part, values), name };
    });
}

export function fill(template: string, values: Values): string {
  return template.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name: string | undefined) => {
    if (found === "{{") return "{";
    if (found === "}}") return "}";
    const value = values[name ?? ""];
    if (value === undefined) return found;
    return typeof value === "object" ? value.join(", ") : String(value);
  });
}
