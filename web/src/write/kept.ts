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

/** The trees of this page: one for each model and beginning. */
export class Trees {
  readonly #trees = new Map<string, Tree>();

  /** The tree of a beginning as it was left; an empty one that nobody wrote in is let go. */
  open(model: string, beginning: string): Tree {
    for (const [name, tree] of this.#trees) if (tree.nodes.length === 1) this.#trees.delete(name);
    const name = `${model}\n${beginning}`;
    const tree = this.#trees.get(name) ?? keptTree(name) ?? new Tree();
    this.#trees.set(name, tree);
    return tree;
  }

  keep(model: string, beginning: string, tree: Tree): void {
    if (tree.nodes.length > 1) keepTree(`${model}\n${beginning}`, tree);
  }

  /** An empty tree in place of the one that there is. */
  renew(model: string, beginning: string): Tree {
    forgetTree();
    this.#trees.delete(`${model}\n${beginning}`);
    return this.open(model, beginning);
  }
}
