// Mathematics as MathML, by Temml: fetched when a lesson is first shown, for it is large. It builds
// elements (and sets their style through the DOM), as the page's content policy asks.
let temml: Promise<typeof import("temml")> | undefined;

export async function writeFormula(
  element: HTMLElement,
  tex: string,
  displayMode: boolean,
): Promise<void> {
  temml ??= import("temml");
  const { default: found } = await temml;
  if (element.isConnected) found.render(tex, element, { displayMode, throwOnError: false });
}
