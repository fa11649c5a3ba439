// The rooms, in the order of the menu: to add one is to add its line. The first has the paths that
// no other has.
import type { RoomRecord } from "./state/rooms.svelte";

export const ROOMS: readonly [RoomRecord, ...RoomRecord[]] = [
  { name: "explore", path: "/", title: "studio.explore", load: () => import("./explore/Explore.svelte"), messages: ["trace", "pictures", "explore"], opens: () => true },
  { name: "write", path: "/write", title: "studio.write", load: () => import("./write/Write.svelte"), messages: ["trace", "write"], opens: (objective) => objective === "next_token" },
  { name: "train", path: "/train", title: "studio.train", load: () => import("./train/Train.svelte"), messages: ["trace", "train"] },
  { name: "learn", path: "/learn", title: "studio.learn", load: () => import("./learn/Learn.svelte"), messages: ["trace", "learn"] },
];
