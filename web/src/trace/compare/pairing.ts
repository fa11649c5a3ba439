// What of two heads stands for one another: pieces of those who look, and of those looked at.
import type { Part, Trace } from "../../protocol/types";
import { keysOf, queriesOf, withinOneText } from "../parts";
import { align, alignCells, sideOf, type Alignment, type Manner, type Piece, type Side } from "./alignment";
import type { Grid } from "./grid";

export interface Drawn {
  trace: Trace;
  part: Part;
  grid: Grid;
}

export interface Pairing {
  rows: Piece[];
  columns: Piece[];
  /** The looser manner of rows and columns. */
  manner: Manner;
  leftOut: string[];
}

const MANNERS: readonly Manner[] = ["tokens", "characters", "ends"];

function sideIn({ trace, part }: Drawn, which: "queries" | "keys"): Side {
  const list = part[which];
  if (list !== "numbered") return sideOf(trace, list);
  return { text: "", tokens: which === "queries" ? queriesOf(trace, part) : keysOf(trace, part) };
}

/** Both texts of both sides, paired; null where either has nothing in common. */
export function pair(left: Drawn, right: Drawn): Pairing | null {
  const exact = left.grid.exact && right.grid.exact;
  const paired = (which: "queries" | "keys"): Alignment | null => {
    const [mine, theirs] = [sideIn(left, which), sideIn(right, which)];
    const axis = which === "queries" ? left.grid.rows : left.grid.columns;
    return exact ? align(mine, theirs) : alignCells(mine, theirs, axis);
  };
  const rows = paired("queries");
  const within = withinOneText(left.part) && withinOneText(right.part);
  const columns = within ? rows : paired("keys");
  if (!rows || !columns) return null;
  const found = [rows.manner, columns.manner];
  return {
    rows: rows.pieces,
    columns: columns.pieces,
    manner: MANNERS.findLast((each) => found.includes(each)) ?? rows.manner,
    leftOut: [...new Set([...rows.leftOut, ...columns.leftOut])],
  };
}
