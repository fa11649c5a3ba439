// Questions about lessons. Each fails with a StudioError or a ServerGone, as all of Studio's.
import { ask, json } from "../protocol/client";
import type { Answered, Claimed, Drawing, Lesson, Marked, NumberShown, Shelf, Value, Values } from "./types";

const ROOT = "/api/lessons";

function post<T>(path: string, body: unknown, signal?: AbortSignal, headers = {}): Promise<T> {
  return json<T>(ROOT + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

export function getShelf(): Promise<Shelf> {
  return json(ROOT);
}

export async function deleteProgress(): Promise<void> {
  await ask(`${ROOT}/progress`, { method: "DELETE" });
}

export function getLesson(name: string, signal: AbortSignal): Promise<Lesson> {
  return json(`${ROOT}/${encodeURIComponent(name)}`, { signal });
}

export function getNumbers(name: string, signal: AbortSignal): Promise<Record<string, NumberShown>> {
  return json(`${ROOT}/${encodeURIComponent(name)}/numbers`, { signal });
}

export function postFigure(
  lesson: string,
  figure: string,
  values: Values,
  signal: AbortSignal,
): Promise<Drawing> {
  return post(`/${lesson}/figures/${figure}`, { values }, signal);
}

export function postPrediction(lesson: string, name: string, answer: Value): Promise<Answered> {
  return post(`/${lesson}/predictions/${name}`, { answer });
}

export interface Attempt {
  answer?: number | string;
  values?: Values;
  code?: string;
}

export function postAttempt(
  lesson: string,
  name: string,
  attempt: Attempt,
  secret: string,
  language: string,
): Promise<Marked> {
  const headers = { "Vitral-Secret": secret, "Accept-Language": language };
  return post(`/${lesson}/exercises/${name}`, attempt, undefined, headers);
}

export function postYours(lesson: string, name: string, values: Values): Promise<Claimed> {
  return post(`/${lesson}/yours/${name}`, { values });
}
