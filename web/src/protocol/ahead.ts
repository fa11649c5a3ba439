// Parts of the page that are fetched when first needed are fetched ahead in a quiet moment: a
// browser that once failed to get a module does not ask for it again, so the page has them all
// before Studio may go away, and a tab opens at once.

const LATER = 500;

export function fetchAhead(parts: Iterable<() => Promise<unknown>>): void {
  const fetchAll = (): void => {
    for (const part of parts) part().catch(() => {}); // whoever needs it will say that it lacks
  };
  if ("requestIdleCallback" in window) requestIdleCallback(fetchAll, { timeout: 4 * LATER });
  else setTimeout(fetchAll, LATER);
}
