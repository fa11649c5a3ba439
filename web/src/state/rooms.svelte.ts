// Which room the reader is in: the path of the page's address. The rooms themselves are those of
// the register that this is made with; each makes its own state when it is first entered, and finds
// it again as it was left.
import { createContext, type Component } from "svelte";

import type { MessageKey } from "../messages/reader.svelte";
import type { RoomEntry } from "../protocol/types";
import type { AddressBar } from "./address_bar";
import { Trail, type Step } from "./trail";

/** What a room is, to everything outside it. */
export interface RoomRecord {
  name: string;
  path: string;
  /** What the reader calls it. */
  title: MessageKey;
  /** The areas of messages that it says things from, besides those of the page's frame. */
  messages: readonly string[];
  /** Its component, which is told under which name the room is in the register. */
  load: () => Promise<{ default: Component<{ name: string }> }>;
  /** Can it open a model that was trained for this objective? Without it, it opens none. */
  opens?: (objective: string | null) => boolean;
}

/** A room that was entered. */
export interface Room {
  /** The reader came to an address of this room by a link, or by going back or forward. */
  visit(query: string): void;
  /** The room's address as it stands, beginning with "?". */
  address(): string;
}

export class Rooms {
  current = $state.raw<RoomRecord>() as RoomRecord;
  /** The rooms that lack something, and the command that brings it. */
  missing = $state.raw<ReadonlyMap<string, string>>(new Map());
  readonly #entered = new Map<string, Room>();
  readonly #trail = new Trail();

  /** The first of `all` has the paths that no other has. */
  constructor(readonly all: readonly [RoomRecord, ...RoomRecord[]]) {
    this.current = this.#at(location.pathname);
  }

  /** Once, as the page starts. `follow` is called with the query of every address visited. */
  begin(follow: (query: string) => void): void {
    window.addEventListener("popstate", () => {
      this.#trail.leave();
      this.current = this.#at(location.pathname);
      follow(location.search);
      this.#entered.get(this.current.name)?.visit(location.search);
    });
  }

  /** A room's state: made the first time, given again ever after. It outlives the component that
   * made it, and so do the values that are derived from it. */
  enter<R extends Room>(name: string, made: (bar: AddressBar) => R): R {
    if (!this.#entered.has(name)) {
      const write = (address: string, step: Step | null): void => this.#record(name, address, step);
      const bar: AddressBar = { read: () => location.search, write };
      $effect.root(() => void this.#entered.set(name, made(bar)));
    }
    return this.#entered.get(name) as R;
  }

  /** Take over what the Studio says of its rooms. */
  learn(entries: readonly RoomEntry[]): void {
    const lacking = entries.filter(({ available }) => !available);
    this.missing = new Map(lacking.map(({ name, install }) => [name, install ?? ""]));
  }

  /** Is the reader in this room? */
  isIn(name: string): boolean {
    return this.current.name === name;
  }

  /** Go to a room: as it was left, or to what `query` (beginning with "?") asks of it. */
  go(name: string, query?: string): void {
    const record = this.all.find((each) => each.name === name);
    if (!record) throw new Error(`no room ${name}`);
    const room = this.#entered.get(name);
    const address = query ?? room?.address() ?? "";
    this.#trail.leave();
    history.pushState(null, "", record.path + address);
    this.current = record;
    if (query !== undefined) room?.visit(query);
  }

  /** Language or theme changed: the address says so. */
  preferencesChanged(): void {
    const { name } = this.current;
    const room = this.#entered.get(name);
    if (room) this.#record(name, room.address(), null);
  }

  #at(path: string): RoomRecord {
    return this.all.find((each) => each.path === path.replace(/\/+$/, "")) ?? this.all[0];
  }

  /** Write a room's address, if the reader is in it: see Trail. */
  #record(name: string, address: string, step: Step | null): void {
    if (this.isIn(name)) this.#trail.record(address, step);
  }
}

export const [getRooms, setRooms] = createContext<Rooms>();
