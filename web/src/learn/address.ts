// The Learn room's address: the lesson, the block, the way it is shown, and where figures stand:
// ?lesson=activations&block=dead&dead_zone.b=-3&view=board
export const VIEWS = ["read", "board", "sheet", "solutions"] as const;
export type View = (typeof VIEWS)[number];

export interface Address {
  lesson: string | null;
  block: string;
  view: View;
  /** By "figure.parameter". */
  moved: Record<string, string>;
}

const NAME = /^[a-z][a-z0-9_]{0,40}$/;

export function readAddress(query: string): Address {
  const asked = new URLSearchParams(query);
  const named = (key: string): string | null => {
    const found = asked.get(key);
    return found !== null && NAME.test(found) ? found : null;
  };
  const moved = [...asked].filter(([key]) => /^[a-z0-9_]+\.[a-z0-9_]+$/.test(key));
  return {
    lesson: named("lesson"),
    block: named("block") ?? "",
    view: VIEWS.find((each) => each === asked.get("view")) ?? "read",
    moved: Object.fromEntries(moved),
  };
}

export function writeAddress({ lesson, block, view, moved }: Address): URLSearchParams {
  const query = new URLSearchParams();
  if (lesson === null) return query;
  query.set("lesson", lesson);
  if (block) query.set("block", block);
  if (view !== "read") query.set("view", view);
  for (const [key, value] of Object.entries(moved)) query.set(key, value);
  return query;
}
