// What Studio answers to the views of a whole text, as docs/studio-api.md describes it.

export interface MeasureDescription {
  name: string;
  label: string;
  sentence: string;
  low: number;
  high: number | null;
  unit: "share" | "tokens";
  source: string;
}

export interface Head {
  layer: number;
  head: number;
  role: string;
  sentence: string;
  idle: boolean;
  values: Record<string, number | null>;
}

export interface Heads {
  num_layers: number;
  num_heads: number;
  repeated: boolean;
  measures: MeasureDescription[];
  heads: Head[];
}

export interface Constancy {
  sentences: string[];
  num_too_long: number;
  same: (number | null)[][];
}

export const GRAPH_KINDS = ["rollout", "attention", "flow"] as const;
export type GraphKind = (typeof GRAPH_KINDS)[number];

/** From token `query` above `layer` down to token `key` below it. */
export interface GraphEdge {
  layer: number;
  query: number;
  key: number;
  weight: number;
}

export interface Graph {
  kind: GraphKind;
  token: number;
  source: number | null;
  nodes: number[][];
  edges: GraphEdge[];
  num_edges: number;
  least: number;
}

export interface Neighbour {
  id: number;
  text: string;
  cosine: number;
}

export interface PathLevel {
  address: string;
  tokens: Neighbour[];
  words: Neighbour[] | null;
  cosine: number | null;
}

export interface Path {
  text: 0 | 1;
  token: number;
  points: [number, number][];
}

export interface WordPath {
  token: number;
  other: number | null;
  explained: [number, number];
  levels: PathLevel[];
  paths: Path[];
  all_drawn: boolean;
}

export interface Candidate {
  id: number;
  text: string;
  probability: number;
  rank: number;
}

export interface LensCell {
  id: number;
  text: string;
  probability: number;
}

export interface Lens {
  levels: string[];
  candidates: Candidate[][];
  expected: Candidate[] | null;
  first: number;
  cells: LensCell[][];
}

export interface Predictions {
  token: number;
  says: "next" | "here";
  places: string[];
  blanked: boolean;
  can_blank: boolean;
  entropy: number;
  candidates: Candidate[];
  expected: Candidate | null;
  lens: Lens | null;
  lens_limit: number;
}
