// The place of a question in Studio's queue. A question that may have to wait carries a ticket:
// this tab's random name, and a number. While no answer comes, Studio is asked for the place of
// the ticket, and the reader is told.
import type { Place } from "./types";

/** A question answered sooner than this (in ms) has no place to tell of. */
const PATIENCE = 400;
const ASK_EVERY = 1000;

/** How many come before: 0 while the question is worked on, null where that is not known. */
export type Before = number | null;

const name = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
  byte.toString(16).padStart(2, "0"),
).join("");
let asked = 0;

/** The answer to `question`, which sends the headers it is given. Until the answer is there, or
 * `signal` says that nobody waits for it, `tell` is told the place in the queue. */
export async function inTurn<T>(
  question: (headers: Record<string, string>) => Promise<T>,
  tell: (before: Before) => void,
  signal: AbortSignal,
): Promise<T> {
  const ticket = `${name}-${(asked += 1)}`;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const follow = async (): Promise<void> => {
    const before = await placeOf(ticket, signal);
    if (over || signal.aborted) return;
    tell(before);
    timer = setTimeout(() => void follow(), ASK_EVERY);
  };
  timer = setTimeout(() => void follow(), PATIENCE);
  try {
    return await question({ "Vitral-Ticket": ticket });
  } finally {
    over = true;
    clearTimeout(timer);
    if (!signal.aborted) tell(null);
  }
}

/** What is not known is null: the question itself will say what went wrong. */
async function placeOf(ticket: string, signal: AbortSignal): Promise<Before> {
  try {
    const response = await fetch(`/api/queue/${ticket}`, { signal });
    return response.ok ? ((await response.json()) as Place).before : null;
  } catch {
    return null;
  }
}
