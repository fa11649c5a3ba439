// A picture that the reader brings, looked at before it is sent. What is in it, Studio says.
import { problemFor, type Problem } from "../protocol/problem";

/** What is wrong with a file; null where it may be sent. */
export function pictureProblem(file: Pick<File, "name" | "size">, mostBytes: number): Problem | null {
  const { name, size } = file;
  if (size === 0) return problemFor("picture_empty", { name });
  const limit = Math.floor(mostBytes / 2 ** 20);
  return size > mostBytes ? problemFor("picture_upload_too_large", { name, limit }) : null;
}
