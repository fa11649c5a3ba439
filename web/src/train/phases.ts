// A run's phases in the form: each has the fields that Studio tells of once, with "*" for its place.
// What stands in them follows when a phase is added or removed.
import { readNumber, type Typed } from "./fields";
import type { Field } from "./types";

type All = Readonly<Record<string, Typed>>;

const ANY = "phases.*.";
const UNTIL = "until";

export function isOfPhases(field: Field): boolean {
  return field.path.startsWith(ANY);
}

/** A field of phases for each of so many; any other field as it is. */
export function inPhases(field: Field, count: number): Field[] {
  if (!isOfPhases(field)) return [field];
  return Array.from({ length: count }, (_, place) => ({
    ...field,
    path: field.path.replace(ANY, at(place)),
    needs: field.needs?.replace(ANY, at(place)) ?? null,
  }));
}

/** Is there anything in which phases of that architecture could differ? Their ends are nothing. */
export function mayDiffer(fields: readonly Field[]): boolean {
  return fields.some((field) => isOfPhases(field) && field.path !== ANY + UNTIL);
}

/** How many phases the settings have, by their paths. */
export function countPhases(paths: readonly string[]): number {
  const places = paths.map((path) => Number(/^phases\.(\d+)\./.exec(path)?.[1] ?? 0));
  return 1 + Math.max(0, ...places);
}

/** The phase at that place, from its beginning to its end as shares of the run; null where what
 * was typed says no such thing. */
export function stretch(typed: All, place: number): [number, number] | null {
  const start = place === 0 ? 0 : end(typed, place - 1);
  const stop = end(typed, place);
  return start !== null && stop !== null && start < stop && stop <= 1 ? [start, stop] : null;
}

/** What was typed, with one phase more than `count`: it takes half of the last one's stretch, and
 * goes on as that one did. */
export function withOneMore(typed: All, count: number): Record<string, Typed> {
  const last = at(count - 1);
  const found: Record<string, Typed> = { ...typed };
  for (const [path, value] of Object.entries(typed)) {
    if (path.startsWith(last)) found[path.replace(last, at(count))] = value;
  }
  const start = count === 1 ? 0 : (end(typed, count - 2) ?? 0);
  found[last + UNTIL] = String(Number(((start + 1) / 2).toFixed(3)));
  found[at(count) + UNTIL] = "1";
  return found;
}

/** What was typed, without the phase at `place`: the one after it begins where it began, and the
 * last one goes on to the end. */
export function withOneLess(typed: All, count: number, place: number): Record<string, Typed> {
  const found: Record<string, Typed> = {};
  for (const [path, value] of Object.entries(typed)) {
    const of = countPhases([path]) - 1;
    const isOfLater = path.startsWith(at(of)) && of >= place;
    if (!isOfLater) found[path] = value;
    else if (of > place) found[path.replace(at(of), at(of - 1))] = value;
  }
  found[at(count - 2) + UNTIL] = "1";
  return found;
}

function at(place: number): string {
  return `phases.${place}.`;
}

function end(typed: All, place: number): number | null {
  return readNumber(String(typed[at(place) + UNTIL] ?? "").trim());
}
