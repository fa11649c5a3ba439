// Python's str.format in the measure that the catalogues use it: {name}, and {{ }} for braces.

export type Values = Record<string, string | number | readonly string[]>;

export function fill(template: string, values: Values): string {
  return template.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name: string | undefined) => {
    if (found === "{{") return "{";
    if (found === "}}") return "}";
    const value = values[name ?? ""];
    if (value === undefined) return found;
    return typeof value === "object" ? value.join(", ") : String(value);
  });
}
