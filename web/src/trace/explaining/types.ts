// What Studio answers to the views of a whole text: names for the types of schema.ts.
import type * as schema from "../../protocol/schema";

export type MeasureDescription = schema.MeasureDescription;
export type Head = schema.Head;
export type Heads = schema.Heads;
export type Constancy = schema.Constancy;

export type GraphKind = schema.Graph["kind"];
export const GRAPH_KINDS = ["rollout", "attention", "flow"] as const satisfies GraphKind[];

/** From token `query` above `layer` down to token `key` below it. */
export type GraphEdge = schema.GraphEdge;
export type Graph = schema.Graph;

export type Neighbour = schema.Neighbour;
export type PathLevel = schema.PathLevel;
export type Path = schema.Path;
export type WordPath = schema.WordPath;

export type Candidate = schema.Candidate;
export type LensCell = schema.LensCell;
export type Lens = schema.Lens;
export type Predictions = schema.Predictions;
