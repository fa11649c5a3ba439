// Whether there is room for two columns: what the style sheets ask with (max-width: 52rem), for the
// components that arrange themselves differently. A page goes by its window; a widget in a notebook
// goes by its own width, which it names here.
type Tell = (narrow: boolean) => void;

let follow = (tell: Tell): (() => void) => {
  const query = matchMedia("(max-width: 52rem)");
  const told = (): void => tell(query.matches);
  told();
  query.addEventListener("change", told);
  return () => query.removeEventListener("change", told);
};

/** Tell now, and whenever it changes, whether the room is narrow; the answer ends it. */
export function followNarrow(tell: Tell): () => void {
  return follow(tell);
}

/** From now on the room is as wide as `element`, and narrow up to `most` pixels. */
export function measureBy(element: HTMLElement, most: number): void {
  follow = (tell) => {
    const observer = new ResizeObserver(() => tell(element.clientWidth <= most));
    tell(element.clientWidth <= most);
    observer.observe(element);
    return () => observer.disconnect();
  };
}
