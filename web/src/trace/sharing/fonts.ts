// The page's own fonts inside a picture, so that it looks the same wherever it is opened.

const found = new Map<string, Promise<string>>();

/** Style rules that hold the fonts of these families (as style sheets write lists of them). */
export async function fontRules(families: Iterable<string>): Promise<string> {
  const wanted = new Set(
    [...families].flatMap((list) => list.split(",").map((name) => bare(name))),
  );
  const rules: Promise<string>[] = [];
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSFontFaceRule)) continue;
      if (wanted.has(bare(rule.style.getPropertyValue("font-family")))) rules.push(embedded(rule));
    }
  }
  return (await Promise.all(rules)).join("");
}

function bare(name: string): string {
  return name.trim().replace(/^["']|["']$/g, "");
}

function embedded(rule: CSSFontFaceRule): Promise<string> {
  const family = bare(rule.style.getPropertyValue("font-family"));
  const weight = rule.style.getPropertyValue("font-weight");
  const [, address = ""] = /url\(["']?([^"')]+)["']?\)/.exec(rule.style.getPropertyValue("src")) ?? [];
  let made = found.get(address);
  if (!made) {
    const base = rule.parentStyleSheet?.href ?? document.baseURI;
    made = address.startsWith("data:")
      ? Promise.resolve(address)
      : fetch(new URL(address, base)).then(async (answer) => dataAddress(await answer.blob()));
    found.set(address, made);
  }
  return made.then(
    (data) =>
      `@font-face{font-family:"${family}";font-weight:${weight};src:url("${data}") format("woff2")}`,
  );
}

/** A blob as an address that holds it. */
export function dataAddress(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error("unreadable"));
    reader.readAsDataURL(blob);
  });
}
