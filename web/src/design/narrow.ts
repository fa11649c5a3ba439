// Whether there is room for two columns: what the style sheets ask with (max-width: 52rem), for the
// components that arrange themselves differently.
type Tell = (narrow: boolean) => void;

/** Tell now, and whenever it changes, whether the page's window is narrow; the answer ends it. */
export function followWindow(tell: Tell): () => void {
  const query = matchMedia("(max-width: 52rem)");
  const told = (): void => tell(query.matches);
  told();
  query.addEventListener("change", told);
  return () => query.removeEventListener("change", told);
}

/** The same of an element, which is narrow up to `most` pixels. */
export function followWidth(element: HTMLElement, most: number, tell: Tell): () => void {
  const told = (): void => tell(element.clientWidth <= most);
  const observer = new ResizeObserver(told);
  told();
  observer.observe(element);
  return () => observer.disconnect();
}
