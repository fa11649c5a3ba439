// What a model's parts and heads are called.
import { say, type MessageKey } from "../messages/catalogue.svelte";
import type { HeadPlace } from "./touch/edits";

const NAMES: Record<string, MessageKey> = {
  encoder: "studio.part_encoder",
  decoder: "studio.part_decoder",
  cross: "studio.part_cross",
};

/** A part's name for a person. */
export function partName(name: string): string {
  const key = NAMES[name];
  return key ? say(key) : name || "—";
}

/** A head's name, with its part's where a model has several. */
export function headName(place: HeadPlace): string {
  const head = say("studio.layer_head", { layer: place.layer, head: place.head });
  return place.part in NAMES ? say("studio.head_of_part", { part: partName(place.part), head }) : head;
}
