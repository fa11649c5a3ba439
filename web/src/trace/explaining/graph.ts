// The graph below a token: which rows it has, where its nodes stand, what hangs together.
import type { Graph, GraphEdge } from "./types";

/** A token at a level: 0 is the input, n + 1 stands above layer n. */
export interface Node {
  level: number;
  token: number;
}

/** Up to so many tokens every token has a row; of longer texts only those with an edge. */
export const ALL_ROWS = 32;

/** The tokens that have a row, in the order of the text. */
export function rowsOf(graph: Graph, size: number): number[] {
  if (size <= ALL_ROWS) return Array.from({ length: size }, (_, token) => token);
  const met = new Set([graph.token, ...(graph.source === null ? [] : [graph.source])]);
  for (const edge of graph.edges) met.add(edge.query).add(edge.key);
  return [...met].sort((a, b) => a - b);
}

export function nameOf({ level, token }: Node): string {
  return `${level}:${token}`;
}

/** The nodes that an edge, or the chosen token itself, touches. */
export function nodesOf(graph: Graph): Map<string, Node> {
  const top = graph.nodes.length - 1;
  const found = new Map<string, Node>();
  const add = (node: Node): void => void found.set(nameOf(node), node);
  add({ level: top, token: graph.token });
  for (const { layer, query, key } of graph.edges) {
    add({ level: layer + 1, token: query });
    add({ level: layer, token: key });
  }
  return found;
}

/** The edges on any way up or down through a node. */
export function waysThrough(edges: readonly GraphEdge[], node: Node): Set<GraphEdge> {
  const lit = new Set<GraphEdge>();
  const upper = new Set([nameOf(node)]);
  const lower = new Set([nameOf(node)]);
  const byLayer = [...edges].sort((a, b) => a.layer - b.layer);
  for (const edge of byLayer) {
    // Going up: an edge counts whose lower end was reached.
    if (edge.layer >= node.level && upper.has(nameOf({ level: edge.layer, token: edge.key }))) {
      lit.add(edge);
      upper.add(nameOf({ level: edge.layer + 1, token: edge.query }));
    }
  }
  for (const edge of byLayer.reverse()) {
    if (edge.layer < node.level && lower.has(nameOf({ level: edge.layer + 1, token: edge.query }))) {
      lit.add(edge);
      lower.add(nameOf({ level: edge.layer, token: edge.key }));
    }
  }
  return lit;
}

/** The node that the keyboard goes to: along a level from token to token, or from level to level
 * to the nearest token there. Null for other keys. The top level stands leftmost. */
export function neighbour(event: KeyboardEvent, from: Node, nodes: Iterable<Node>): Node | null {
  if (event.altKey || event.ctrlKey || event.metaKey) return null;
  const all = [...nodes];
  const levelStep = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
  const tokenStep = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (levelStep === undefined && tokenStep === undefined) return null;
  const level = from.level + (levelStep ?? 0);
  const distance = (node: Node): number => Math.abs(node.token - from.token);
  const there = all
    .filter((node) => node.level === level)
    .filter((node) => tokenStep === undefined || (node.token - from.token) * tokenStep > 0)
    .sort((a, b) => distance(a) - distance(b));
  return there[0] ?? from;
}
