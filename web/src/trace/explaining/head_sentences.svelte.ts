// What each head does in the part that is shown, in a sentence: fetched when it is first asked for.
import type { Reader } from "../../messages/reader.svelte";
import type { Source } from "../../protocol/source";
import { getHeads } from "./client";

export class HeadSentences {
  #sentences = $state.raw(new Map<string, string>());
  #about = "";
  #asked = new AbortController();

  constructor(
    private readonly source: Source,
    private readonly reader: Reader,
  ) {}

  /** Have the sentences of a trace's part ready, in the reader's language. Failing, there are
   * none. */
  async fetch(trace: string, part: string): Promise<void> {
    const { language } = this.reader;
    const about = `${trace} ${part} ${language}`;
    if (this.source.fixed || about === this.#about) return;
    this.#about = about;
    this.#asked.abort();
    const { signal } = (this.#asked = new AbortController());
    this.#sentences = new Map();
    try {
      const { heads } = await getHeads(trace, part, language, signal);
      if (signal.aborted) return;
      this.#sentences = new Map(heads.map((each) => [`${each.layer}.${each.head}`, each.sentence]));
    } catch {
      if (this.#about === about) this.#about = ""; // ask again next time
    }
  }

  /** What a head does; nothing where it is not known (yet). */
  of(layer: number, head: number): string {
    return this.#sentences.get(`${layer}.${head}`) ?? "";
  }
}
