// SVG, written as text.

export type Attributes = Record<string, string | number>;

export function escaped(text: string): string {
  const signs: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // Characters that XML cannot hold at all are left out.
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"]/g, (sign) => signs[sign] as string);
}

/** One element; numbers to a hundredth. */
export function element(name: string, attributes: Attributes, inner = ""): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => {
      const said = typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
      return ` ${key}="${escaped(said)}"`;
    })
    .join("");
  return inner === "" ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name}>`;
}
