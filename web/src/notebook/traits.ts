// What is looked at, in both directions: the widget's traits in Python ↔ the room's address.
import { readPlace, writePlace, type Place } from "../trace/address";
import type { Model } from "./model";

export const TRAITS = ["layer", "head", "token", "key", "view", "scale", "lifted"] as const;
type Trait = (typeof TRAITS)[number];

/** The address that the traits ask for; what they do not name stays as it is in `before`. */
export function addressOf(model: Model, before: string): string {
  const place: Place = { ...readPlace(before), model: null, text: null };
  const said = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const token = (said["token"] ?? "none") as Place["token"];
  return writePlace({ ...place, ...(said as Pick<Place, Trait>), token });
}

/** Set the traits to what an address says, and send Python those that have changed. */
export function tell(model: Model, address: string): void {
  const place = readPlace(address);
  const now = { ...place, token: place.token === "none" ? null : place.token };
  const changed = TRAITS.filter((name) => now[name] !== model.get(name));
  if (place.layer === null || changed.length === 0) return; // before there is a trace
  for (const name of changed) model.set(name, now[name]);
  model.save_changes();
}
