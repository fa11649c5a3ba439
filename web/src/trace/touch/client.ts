// Questions about a model that is touched.
import { ask } from "../../protocol/client";
import type { Question, Trace } from "../../protocol/types";
import type { Edits, HeadPlace } from "./edits";

export interface Touch extends Question {
  edits: Edits;
}

/** Which prediction: at `place`, with the mask standing there or not. */
export interface Wanted {
  place: number;
  masked: boolean;
}

export interface Candidate {
  id: number;
  text: string;
  /** Probabilities, 0 to 1. */
  before: number;
  after: number;
}

export interface Prediction extends Wanted {
  /** Kullback–Leibler, in nats. */
  divergence: number;
  /** The share of the probability that moved, 0 to 1. */
  moved: number;
  before: Candidate[];
  after: Candidate[];
  rose: Candidate[];
  fell: Candidate[];
  /** The heads whose attention changed most. */
  heads: (HeadPlace & { share: number })[];
}

/** What a trace answers. */
export function questionOf({ model, text, answer }: Trace): Question {
  return { model, text, answer: answer?.given ? answer.text : null };
}

async function post<Answer>(path: string, body: object, language: string, signal: AbortSignal): Promise<Answer> {
  const response = await ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: JSON.stringify(body),
    signal,
  });
  return (await response.json()) as Answer;
}

export function postTouch(touch: Touch, language: string, signal: AbortSignal): Promise<Trace> {
  return post("/api/touches", touch, language, signal);
}

export function postPrediction(
  question: Touch & Wanted & { count: number },
  language: string,
  signal: AbortSignal,
): Promise<Prediction> {
  return post("/api/touches/prediction", question, language, signal);
}
