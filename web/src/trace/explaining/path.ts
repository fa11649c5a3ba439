// The plane of a word's path on the screen: one scale for both directions, so that distances mean
// the same across and down.
import type { Path } from "./types";

export type Point = readonly [number, number];

export interface Frame {
  width: number;
  height: number;
  /** From the plane to pixels; up is up. */
  place: (point: Point) => Point;
  inside: (point: Point) => boolean;
}

/** A frame that holds all of `points`, with a margin in pixels. */
export function frame(
  points: readonly Point[],
  width: number,
  height: number,
  margin: number,
): Frame {
  const across = points.map(([x]) => x);
  const up = points.map(([, y]) => y);
  const [left, right] = [Math.min(...across), Math.max(...across)];
  const [low, high] = [Math.min(...up), Math.max(...up)];
  const scale = Math.min(
    (width - 2 * margin) / Math.max(right - left, 1e-9),
    (height - 2 * margin) / Math.max(high - low, 1e-9),
  );
  const [middleX, middleY] = [(left + right) / 2, (low + high) / 2];
  const place = ([x, y]: Point): Point => [
    width / 2 + (x - middleX) * scale,
    height / 2 - (y - middleY) * scale,
  ];
  const inside = (point: Point): boolean => {
    const [x, y] = place(point);
    return x >= 4 && x <= width - 4 && y >= 10 && y <= height - 4;
  };
  return { width, height, place, inside };
}

/** The paths of the chosen tokens: the text's own, and the other's where there is one. */
export function chosenPaths(paths: readonly Path[], token: number, other: number | null): Path[] {
  return paths.filter((path) => path.token === (path.text === 0 ? token : other));
}

export interface Label {
  text: string;
  at: Point;
}

/** Labels that do not lie on one another: the first of each group stays. */
export function apart(labels: readonly Label[], letter: number, line: number): Label[] {
  const kept: Label[] = [];
  for (const each of labels) {
    const clash = kept.some(({ text, at }) => {
      const reach = (letter * Math.max(text.length, each.text.length)) / 2 + letter;
      return Math.abs(at[0] - each.at[0]) < 2 * reach && Math.abs(at[1] - each.at[1]) < line;
    });
    if (!clash) kept.push(each);
  }
  return kept;
}

/** The place of a word in another text's tokens: where it has the same letters, else the place
 * that is nearest to `near`; special tokens do not count. */
export function sameWord(
  words: readonly { text: string; special: boolean }[],
  wanted: string,
  near: number,
): number {
  const places = words.flatMap((word, index) => (word.special ? [] : [index]));
  const same = places.filter(
    (index) => words[index]?.text.trim().toLowerCase() === wanted.trim().toLowerCase(),
  );
  const from = same.length > 0 ? same : places;
  return from.reduce((best, index) => {
    return Math.abs(index - near) < Math.abs(best - near) ? index : best;
  }, from[0] ?? 0);
}
