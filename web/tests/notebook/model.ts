// Stands for what a notebook hands to a widget: traits, and messages to Python and back.
import type { Model } from "../../src/notebook/model";

type Heard = (...said: never[]) => void;

export class HandModel implements Model {
  readonly sent: { question: string; ask: string; values: object }[] = [];
  /** What was set and sent to Python, one entry each time. */
  readonly saved: Record<string, unknown>[] = [];
  #unsaved: Record<string, unknown> = {};
  readonly #heard = new Map<string, Set<Heard>>();

  constructor(readonly traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this.traits[name];
  }

  set(name: string, value: unknown): void {
    this.traits[name] = value;
    this.#unsaved[name] = value;
  }

  save_changes(): void {
    this.saved.push(this.#unsaved);
    this.#unsaved = {};
  }

  on(event: string, heard: Heard): void {
    const all = this.#heard.get(event) ?? new Set();
    this.#heard.set(event, all.add(heard));
  }

  off(event: string, heard: Heard): void {
    this.#heard.get(event)?.delete(heard);
  }

  send(content: unknown): void {
    this.sent.push(content as (typeof this.sent)[number]);
  }

  /** Python says something. */
  says(content: object, buffers?: readonly DataView[]): void {
    for (const heard of this.#heard.get("msg:custom") ?? []) heard(content as never, buffers as never);
  }

  listeners(event: string): number {
    return this.#heard.get(event)?.size ?? 0;
  }
}

/** A block as vitral.studio.blocks writes it, in the middle of a larger buffer. */
export function block(header: object, values: Float32Array): DataView {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const before = 16;
  const buffer = new ArrayBuffer(before + 8 + padded + values.byteLength + 8);
  const bytes = new Uint8Array(buffer).fill(32);
  bytes.set(new TextEncoder().encode("VTR1"), before);
  new DataView(buffer).setUint32(before + 4, padded, true);
  bytes.set(text, before + 8);
  bytes.set(new Uint8Array(values.buffer), before + 8 + padded);
  return new DataView(buffer, before, 8 + padded + values.byteLength);
}
