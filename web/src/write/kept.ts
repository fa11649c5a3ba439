// The tree last written in this tab, kept by the browser: a page loaded again, or a closed tab
// opened again, has it still.
import { Tree, type Node } from "./tree";

const KEPT = "vitral-written";

interface Kept {
  /** Whose tree it is: the model and the beginning. */
  name: string;
  nodes: Node[];
}

export function keepTree(name: string, tree: Tree): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ name, nodes: tree.nodes } satisfies Kept));
  } catch {
    // Closed to us, or full: the page has the tree as long as it is open.
  }
}

/** The tree kept for this model and beginning; null where there is none. */
export function keptTree(name: string): Tree | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
    return kept?.name === name ? new Tree(kept.nodes) : null;
  } catch {
    return null;
  }
}

export function forgetTree(): void {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // Closed to us: then nothing was kept.
  }
}
