// A text of the reader's on its way to Studio: how much of it has arrived, and what was wrong
// with it. It goes on while the reader is in another room.
import { problemFor, type Problem } from "../protocol/problem";
import type { Sent } from "../protocol/upload";
import { postText } from "./client";
import type { TrainRoom } from "./room.svelte";
import type { Text, Training } from "./types";

export class Incoming {
  /** What the file is called that is being uploaded; null while there is none. */
  name = $state<string | null>(null);
  sent = $state.raw<Sent>({ bytes: 0, of: 0 });
  problem = $state.raw<Problem | null>(null);
  readonly share: number = $derived(this.sent.of ? this.sent.bytes / this.sent.of : 0);
  #asking = new AbortController();

  constructor(private readonly room: TrainRoom) {}

  /** Upload a file, unless another is on its way, and choose it: the text, or null. What is wrong
   * at first sight is not sent. */
  async take(file: File, training: Training): Promise<Text | null> {
    if (this.name !== null) return null;
    this.problem = refused(file, training);
    if (this.problem) return null;
    this.name = file.name;
    this.sent = { bytes: 0, of: file.size };
    const { signal } = (this.#asking = new AbortController());
    try {
      const text = await postText(file, this.room.reader.language, (sent) => (this.sent = sent), signal);
      await this.room.refresh();
      this.room.draft.text = text.id;
      return text;
    } catch (problem) {
      this.problem = this.room.refusal(problem);
      return null;
    } finally {
      this.name = null;
    }
  }

  /** Leave it: Studio keeps nothing of a text that did not arrive whole. */
  cancel(): void {
    this.#asking.abort();
  }
}

function refused(file: File, training: Training): Problem | null {
  const { endings, max_upload_bytes: most } = training;
  const name = file.name;
  if (!endings.some((ending) => name.toLowerCase().endsWith(ending))) {
    return problemFor("upload_kind", { name, endings: endings.join(", ") });
  }
  return file.size > most ? problemFor("upload_too_large", { name, limit: most / 2 ** 20 }) : null;
}
