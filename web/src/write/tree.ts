// The tree of what was written: each node is a token, its children what followed it. Nothing is
// ever taken away, so every branch can be visited again.
import type { End, Piece } from "./types";

/** How a token came: drawn, the likeliest of all (temperature 0), chosen by the reader, or found
 * by one of several strategies. */
export type Way = "drawn" | "likeliest" | "forced" | "strategy";

export interface Node {
  key: number;
  parent: number | null;
  /** The node's children, in the order in which they came. */
  children: number[];
  /** Which child was visited last; null without children. */
  last: number | null;
  depth: number;
  token: Piece;
  way: Way;
  /** How likely it was to be chosen; null where that is not known. */
  share: number | null;
  /** The model's own, in nats; null where that is not known. */
  logProbability: number | null;
  rank: number | null;
  end: End | null;
  kept: number | null;
}

export type NewNode = Pick<Node, "token" | "way" | "share" | "logProbability" | "rank">;

/** A run of nodes without a fork before its first: one line of the drawing. */
export interface Lane {
  nodes: Node[];
  /** The lane that it leaves; null for the first. */
  from: number | null;
}

export const ROOT = 0;

const BEGINNING: Readonly<Node> = {
  key: ROOT,
  parent: null,
  children: [],
  last: null,
  depth: 0,
  token: { id: -1, piece: "", name: null },
  way: "forced",
  share: null,
  logProbability: null,
  rank: null,
  end: null,
  kept: null,
};

export class Tree {
  readonly nodes: Node[];

  /** An empty tree, or one that was kept. */
  constructor(nodes: readonly Node[] = []) {
    this.nodes = nodes.length > 0 ? [...nodes] : [{ ...BEGINNING, children: [] }];
  }

  get(key: number): Node {
    return this.nodes[key] ?? (this.nodes[ROOT] as Node);
  }

  /** The child of `parent` with this token, as it was made first; a new one where there is none. */
  add(parent: number, node: NewNode): Node {
    const before = this.get(parent);
    const known = before.children.find((child) => this.get(child).token.id === node.token.id);
    if (known !== undefined) {
      before.last = known;
      return this.get(known);
    }
    const made: Node = {
      ...node,
      key: this.nodes.length,
      parent: before.key,
      children: [],
      last: null,
      depth: before.depth + 1,
      end: null,
      kept: null,
    };
    this.nodes.push(made);
    before.children.push(made.key);
    before.last = made.key;
    return made;
  }

  /** What a node's token adds to the text, once its place has said so. The node is another one
   * then, so that whoever shows it sees the change. */
  tell(key: number, token: Piece): void {
    const node = this.get(key);
    const same = node.token.piece === token.piece && node.token.name === token.name;
    if (!same) this.nodes[node.key] = { ...node, token };
  }

  /** The nodes from the first token to this one; empty for the root. */
  path(key: number): Node[] {
    const found: Node[] = [];
    for (let node = this.get(key); node.parent !== null; node = this.get(node.parent)) found.push(node);
    return found.reverse();
  }

  /** What was written after this node when it was last visited. */
  rest(key: number): Node[] {
    const found: Node[] = [];
    for (let last = this.get(key).last; last !== null; last = this.get(last).last) {
      found.push(this.get(last));
    }
    return found;
  }

  /** Remember that the way to this node is the one last taken. */
  visit(key: number): void {
    for (const node of this.path(key)) this.get(node.parent ?? ROOT).last = node.key;
  }

  /** The lines of the drawing, the first branch first, and after a branch those that leave it. */
  lanes(): Lane[] {
    const found: Lane[] = [];
    const waiting: { start: number; from: number | null }[] = this.get(ROOT).children.map(
      (start) => ({ start, from: null }),
    );
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const lane: Lane = { nodes: [], from: next.from };
      const place = found.push(lane) - 1;
      const forks: { start: number; from: number | null }[] = [];
      for (let key: number | undefined = next.start; key !== undefined; ) {
        const node: Node = this.get(key);
        lane.nodes.push(node);
        const [first, ...others]: number[] = node.children;
        forks.unshift(...others.map((start) => ({ start, from: place })));
        key = first;
      }
      waiting.unshift(...forks);
    }
    return found;
  }
}

/** What the tokens add to the text, together. */
export function textOf(nodes: readonly Node[]): string {
  return nodes.map((node) => node.token.piece).join("");
}

/** The mean of the tokens' log-probabilities, in nats; null where one is not known. */
export function meanLogProbability(nodes: readonly Node[]): number | null {
  let sum = 0;
  for (const { logProbability } of nodes) {
    if (logProbability === null) return null;
    sum += logProbability;
  }
  return nodes.length > 0 ? sum / nodes.length : null;
}
