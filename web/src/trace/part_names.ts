// What a model's parts and heads are called.
import type { MessageKey, Reader } from "../messages/reader.svelte";
import type { HeadPlace } from "./touch/edits";

const NAMES: Record<string, MessageKey> = {
  encoder: "studio.part_encoder",
  decoder: "studio.part_decoder",
  cross: "studio.part_cross",
};

/** A part's name for a person. */
export function partName({ say }: Reader, name: string): string {
  const key = NAMES[name];
  return key ? say(key) : name || "—";
}

/** A head's name, with its part's where a model has several. */
export function headName(reader: Reader, place: HeadPlace): string {
  const { say } = reader;
  const head = say("studio.layer_head", { layer: place.layer, head: place.head });
  return place.part in NAMES ? say("studio.head_of_part", { part: partName(reader, place.part), head }) : head;
}
