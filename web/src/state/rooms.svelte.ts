// Which room the reader is in: the path of the page's address. Each room keeps its own state in a
// module of its own, so that leaving a room and coming back loses nothing, and tells here how its
// address is read and written.
import type { MessageKey } from "../messages/catalogue.svelte";
import { Trail, type Step } from "./trail";

export const ROOMS = ["explore", "write", "train"] as const;
export type RoomName = (typeof ROOMS)[number];

/** What the reader calls each room. */
export const TITLES: Record<RoomName, MessageKey> = {
  explore: "studio.explore",
  write: "studio.write",
  train: "studio.train",
};

const PATHS: Record<RoomName, string> = { explore: "/", write: "/write", train: "/train" };

export interface Room {
  /** The reader came to an address of this room by a link, or by going back or forward. */
  visit(query: string): void;
  /** The room's address as it stands, beginning with "?". */
  address(): string;
}

/** The room whose path this is; any other path is Explore's. */
export function roomOf(path: string): RoomName {
  return ROOMS.find((name) => PATHS[name] === path.replace(/\/+$/, "")) ?? "explore";
}

export function pathOf(name: RoomName): string {
  return PATHS[name];
}

class Rooms {
  current = $state<RoomName>("explore");
  readonly #open = new Map<RoomName, Room>();
  readonly #trail = new Trail();
  #host: ((address: string) => void) | null = null;

  /** Once, as the page starts. `follow` is told the query of every address visited. */
  begin(follow: (query: string) => void): void {
    this.current = roomOf(location.pathname);
    window.addEventListener("popstate", () => {
      this.#trail.leave();
      this.current = roomOf(location.pathname);
      follow(location.search);
      this.#open.get(this.current)?.visit(location.search);
    });
  }

  /** In place of `begin`, in somebody else's page: `host` is told every address, none is written. */
  beginIn(host: (address: string) => void): void {
    this.#host = host;
  }

  /** What is looked at was changed outside the page, as if the reader had come by a link. */
  visit(name: RoomName, query: string): void {
    this.#open.get(name)?.visit(query);
  }

  /** A room that has opened, and from now on is told where the reader goes in it. */
  opened(name: RoomName, room: Room): void {
    this.#open.set(name, room);
  }

  /** Go to a room: as it was left, or to what `query` (beginning with "?") asks of it. */
  go(name: RoomName, query?: string): void {
    const room = this.#open.get(name);
    const address = query ?? room?.address() ?? "";
    this.#trail.leave();
    history.pushState(null, "", PATHS[name] + address);
    this.current = name;
    if (query !== undefined) room?.visit(query);
  }

  /** Write a room's address, if the reader is in it: see Trail. */
  record(name: RoomName, address: string, step: Step | null): void {
    if (name !== this.current) return;
    if (this.#host) this.#host(address);
    else this.#trail.record(address, step);
  }

  /** Language or theme changed: the address says so. */
  preferencesChanged(): void {
    const room = this.#open.get(this.current);
    if (room) this.record(this.current, room.address(), null);
  }
}

export const rooms = new Rooms();
