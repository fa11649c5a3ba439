// The pictures of traces, decoded: asked for once, however many places show them.
import type { Source } from "../../protocol/source";

const KEPT = 4;
const kept = new WeakMap<Source, Map<string, Promise<ImageBitmap>>>();

/** The picture that a trace's tokens lie on, as the model saw it. */
export function imageOf(source: Source, trace: string): Promise<ImageBitmap> {
  let images = kept.get(source);
  if (!images) kept.set(source, (images = new Map()));
  const before = images.get(trace);
  if (before) return before;
  const asked = fetched(source, trace);
  images.set(trace, asked);
  asked.catch(() => images.delete(trace)); // asked again by the next that shows it
  for (const oldest of images.keys()) {
    if (images.size <= KEPT) break;
    images.delete(oldest);
  }
  return asked;
}

async function fetched(source: Source, trace: string): Promise<ImageBitmap> {
  if (!source.getPicture) throw new Error("this source has no pictures");
  return createImageBitmap(await source.getPicture(trace));
}
