// What the map of a long text says in words and numbers: the cell pointed at, and the scale's end.
import type { Spot } from "../../../design/keys";
import type { Reader } from "../../../messages/reader.svelte";
import type { Token } from "../../../protocol/types";
import { label } from "../../words";
import { isSeen, SIDE, topLevel, type Place } from "./camera";
import type { Reduction, Tiles } from "./tiles";

export interface Cell {
  rows: readonly [number, number];
  columns: readonly [number, number];
  value: number;
  exact: boolean;
}

/** The cell at a spot, if its tile is here. */
export function cellAt(
  tiles: Tiles,
  spot: Spot,
  level: number,
  size: number,
  causal: boolean,
): Cell | null {
  const tokens = 2 ** level;
  const first = (at: number): number => Math.floor(at / tokens) * tokens;
  const range = (at: number): [number, number] => [first(at), Math.min(size, first(at) + tokens)];
  const [rows, columns] = [range(spot.row), range(spot.column)];
  const place: Place = {
    level,
    down: Math.floor(spot.row / (tokens * SIDE)),
    across: Math.floor(spot.column / (tokens * SIDE)),
  };
  const found = { rows, columns, exact: level === 0 };
  if (!isSeen(place, size, causal)) return { ...found, value: 0 };
  const tile = tiles.at(place);
  if (!tile) return null;
  const down = Math.floor((spot.row - tile.rows[0]) / tokens);
  const across = Math.floor((spot.column - tile.columns[0]) / tokens);
  return { ...found, value: tile.values[down * tile.width + across] ?? 0 };
}

/** A weight with as many decimals as it takes to tell it from nothing. */
export function small({ number, short }: Reader, value: number): string {
  return value === 0 || value >= 0.001 ? number(value) : short(value, 2);
}

/** The cell in a sentence. */
export function told(
  reader: Reader,
  { rows, columns, value, exact }: Cell,
  tokens: readonly Token[],
  reduction: Reduction,
): string {
  const { say, whole: place } = reader;
  const weight = small(reader, value);
  if (exact) {
    const [query, key] = [tokens[rows[0]], tokens[columns[0]]];
    if (!query || !key) return "";
    return say("studio.map_cell", {
      source: label(query),
      row: place(rows[0]),
      key: label(key),
      column: place(columns[0]),
      weight,
    });
  }
  const values = {
    first: place(rows[0]),
    last: place(rows[1] - 1),
    left: place(columns[0]),
    right: place(columns[1] - 1),
    weight,
  };
  return say(reduction === "mean" ? "studio.map_cells_mean" : "studio.map_cells_max", values);
}

/**
 * The value of the strongest colour: the greatest in sight where cells are exact. Of pooled cells
 * the one that few surpass: a text's first tokens have few to look at, and would darken the rest.
 */
export function ceilingOf(tiles: Tiles, places: readonly Place[], size: number): number {
  const here = places.map((place) => tiles.at(place)).filter((tile) => tile !== undefined);
  const top = tiles.at({ level: topLevel(size), down: 0, across: 0 });
  const shown = here.length > 0 || !top ? here : [top];
  return shown.reduce(
    (most, tile) => Math.max(most, tile.level === 0 ? tile.greatest : tile.usual),
    0,
  );
}
