// How the Train room says states, times and sizes.
import type { MessageKey, Reader } from "../messages/reader.svelte";
import type { Mistake, State, Text } from "./types";

const STATES: Record<State, MessageKey> = {
  queued: "studio.train_state_queued",
  preparing: "studio.train_state_preparing",
  running: "studio.train_state_running",
  pausing: "studio.train_state_pausing",
  stopping: "studio.train_state_stopping",
  paused: "studio.train_state_paused",
  interrupted: "studio.train_state_interrupted",
  finished: "studio.train_state_finished",
  failed: "studio.train_state_failed",
  damaged: "studio.train_state_damaged",
};

export function sayState({ say }: Reader, state: State): string {
  return say(STATES[state]);
}

/** States in which a process works. */
export function isWorking(state: State): boolean {
  return ["preparing", "running", "pausing", "stopping"].includes(state);
}

export function duration({ say }: Reader, seconds: number): string {
  const left = Math.max(0, Math.round(seconds));
  if (left < 60) return say("studio.train_seconds", { seconds: left });
  const minutes = Math.round(left / 60);
  if (minutes < 60) return say("studio.train_minutes", { minutes });
  return say("studio.train_hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

export function bytes({ number, say, whole }: Reader, count: number): string {
  if (count < 1000) return say("studio.train_bytes", { size: whole(count) });
  if (count < 1e6) return say("studio.train_kilobytes", { size: whole(count / 1e3) });
  return say("studio.train_megabytes", { size: number(count / 1e6, count < 1e7 ? 1 : 0) });
}

/** A part of the model by its address: "layers.3" is "layer 3". */
export function sayPart({ say }: Reader, part: string): string {
  const layer = /(?:^|\.)layers\.(\d+)$/.exec(part)?.[1];
  if (layer !== undefined) return say("studio.train_layer", { layer });
  return part;
}

/** What is wrong with an entry, in the reader's language. */
export function sayMistake({ language }: Reader, mistake: Mistake): string {
  return mistake[language];
}

const OFFERED: Record<string, readonly [MessageKey, MessageKey]> = {
  "offered.sentences": ["studio.train_text_sentences", "studio.train_text_sentences_hint"],
  "offered.numbers": ["studio.train_text_numbers", "studio.train_text_numbers_hint"],
};

/** What a text is called. */
export function sayText({ say }: Reader, text: Text): string {
  const offered = OFFERED[text.id];
  return offered ? say(offered[0]) : text.name.replace(/\.(txt|jsonl|md)$/i, "");
}

/** What is to be known of it. */
export function aboutText(reader: Reader, text: Text): string {
  const { say } = reader;
  const offered = OFFERED[text.id];
  if (offered) return say(offered[1]);
  return text.num_bytes === null ? say("studio.train_text_folder") : bytes(reader, text.num_bytes);
}

/** What a run reads: an offered text by its title, a file by its name. */
export function saySource({ say }: Reader, name: string): string {
  const offered = OFFERED[`offered.${name.replace(/\.txt$/, "")}`];
  return offered ? say(offered[0]) : name;
}
