// Questions about trainings. Each fails with a StudioError or a ServerGone, as all of Studio's.
import type { Block } from "../protocol/block";
import { ask, block, StudioError } from "../protocol/client";
import { upload, type Sent } from "../protocol/upload";
import type { Field, Run, RunRequest, Text, Training, Value } from "./types";

const ROOT = "/api/training";

async function json<T>(path: string, language: string, init: RequestInit = {}): Promise<T> {
  const headers = { "Accept-Language": language, ...init.headers };
  return (await (await ask(`${ROOT}${path}`, { ...init, headers })).json()) as T;
}

function post<T>(
  path: string,
  language: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  return json<T>(path, language, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
}

function runPath(id: string, rest = ""): string {
  return `/runs/${encodeURIComponent(id)}${rest}`;
}

/** Whether Studio says that there is no such run; false where it does not answer. */
export async function isUnknown(id: string): Promise<boolean> {
  try {
    await ask(`${ROOT}${runPath(id)}`);
  } catch (problem) {
    return problem instanceof StudioError && problem.code === "run_unknown";
  }
  return false;
}

export function getTraining(language: string, signal: AbortSignal): Promise<Training> {
  return json("", language, { signal });
}

export function getForm(language: string, signal: AbortSignal): Promise<Field[]> {
  return json("/form", language, { signal });
}

/** What the dial would choose; takes some seconds. */
export async function postProposal(
  text: string,
  minutes: number,
  language: string,
  signal: AbortSignal,
): Promise<Record<string, Value>> {
  const { settings } = await post<{ settings: Record<string, Value> }>(
    "/proposal",
    language,
    { text, minutes },
    signal,
  );
  return settings;
}

/** Upload a text; `tell` hears how much of it has arrived. */
export function postText(
  file: File,
  language: string,
  tell: (sent: Sent) => void,
  signal: AbortSignal,
): Promise<Text> {
  const query = new URLSearchParams({ name: file.name });
  return upload(`${ROOT}/texts?${query}`, file, language, tell, signal);
}

export async function deleteText(id: string): Promise<void> {
  await ask(`${ROOT}/texts/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export function postRun(request: RunRequest, language: string): Promise<Run> {
  return post("/runs", language, request);
}

export function tell(
  id: string,
  what: "pause" | "resume" | "stop",
  language: string,
): Promise<Run> {
  return post(runPath(id, `/${what}`), language);
}

export async function deleteRun(id: string): Promise<void> {
  await ask(ROOT + runPath(id), { method: "DELETE" });
}

export function eventsPath(id: string): string {
  return ROOT + runPath(id, "/events");
}

/** A small map of every head on the watched sentence after that step. */
export function getWatchedPooled(id: string, step: number, signal: AbortSignal): Promise<Block> {
  return block(`${ROOT}${runPath(id, "/watched/pooled")}?step=${step}`, signal);
}

/** One head's exact weights on it: [tokens × tokens]. */
export function getWatchedPattern(
  id: string,
  step: number,
  layer: number,
  head: number,
  signal: AbortSignal,
): Promise<Block> {
  const query = `step=${step}&layer=${layer}&head=${head}`;
  return block(`${ROOT}${runPath(id, "/watched/pattern")}?${query}`, signal);
}
