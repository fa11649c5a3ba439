// What went wrong, as a notice says it: the key of a message and what fills it in.
import { StudioError } from "./client";
import type { ErrorValues } from "./types";

export interface Problem {
  code: string;
  values: ErrorValues;
  message: string;
}

/** What the page finds out by itself. */
export function problemFor(code: string, values: ErrorValues = {}): Problem {
  return { code, values, message: "" };
}

export function problemOf(error: unknown): Problem {
  if (!(error instanceof StudioError)) {
    return { code: "unexpected", values: {}, message: String(error) };
  }
  return { code: error.code, values: error.values, message: error.message };
}
